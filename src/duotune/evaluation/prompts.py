"""Renders held-out items to token ids that fit the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duotune.models.items import HeldOutItem
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import CodeTokenizer

CONTROL_TOKENS = 8
SUFFIX_SHARE = 1 / 3


@dataclass(frozen=True)
class Question:
    """One item as both models get it.

    Attributes:
        item: The item.
        prompt: Token ids of the prompt.
        target: Token ids of the gold answer with its end token.
        limit: Most tokens that an answer may have.
    """

    item: HeldOutItem
    prompt: list[int]
    target: list[int]
    limit: int


def render(items: Sequence[HeldOutItem], renderer: PromptRenderer, context: int, longest: int) -> list[Question]:
    """Render every item; a prompt that does not fit keeps what is nearest to the hole.

    Args:
        items: The items.
        renderer: The one prompt renderer.
        context: Tokens that prompt and answer may have together.
        longest: Most tokens of an answer; an item's own limit is twice its gold answer plus 32.
    """
    questions = []
    for item in items:
        gold_tokens = len(renderer.tokenizer.encode(item.gold))
        limit = min(longest, 2 * gold_tokens + 32, context // 2)
        room = context - max(limit, min(gold_tokens + 1, context // 2)) - CONTROL_TOKENS
        prefix, suffix = fit(renderer.tokenizer, item.prefix, item.suffix, room)
        example = renderer.fim_example(prefix, suffix, item.gold)
        ask = renderer.signature if item.set == "signature" else renderer.fim
        target = example.ids[example.prompt_length :][: context // 2]
        questions.append(Question(item, ask(prefix, suffix), target, limit))
    return questions


def fit(tokenizer: CodeTokenizer, prefix: str, suffix: str, room: int) -> tuple[str, str]:
    """The end of the prefix and the beginning of the suffix that together have at most `room` tokens.

    The suffix gets a third, the prefix the rest; what one does not need is the other's.
    """
    above, below = len(tokenizer.encode(prefix)), len(tokenizer.encode(suffix))
    if above + below <= room:
        return prefix, suffix
    for_suffix = min(below, max(int(room * SUFFIX_SHARE), room - above))
    return _shorten(tokenizer, prefix, room - for_suffix, from_end=True), _shorten(tokenizer, suffix, for_suffix)


def _shorten(tokenizer: CodeTokenizer, text: str, tokens: int, from_end: bool = False) -> str:
    """At most `tokens` tokens of the text, cut between characters so that none is torn."""
    while text and (count := len(tokenizer.encode(text))) > tokens:
        keep = min(len(text) - 1, int(len(text) * tokens / count) + 1) if tokens > 0 else 0
        text = text[len(text) - keep :] if from_end else text[:keep]
    return text
