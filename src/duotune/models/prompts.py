"""The one renderer of every prompt that duotune authors: training, evaluation and probes all use it.

Source text is encoded literally; control tokens enter only as ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duotune.errors import ModelError, printable
from duotune.models.family import FimFormat, detect_fim
from duotune.models.tokenizer import CodeTokenizer


@dataclass(frozen=True)
class Rendered:
    """A prompt with its target.

    Attributes:
        ids: Prompt and target.
        prompt_length: `ids[:prompt_length]` is the prompt; the rest is the target with its end token.
    """

    ids: list[int]
    prompt_length: int


class PromptRenderer:
    """Renders prompts to token ids in the format of a model's family.

    Attributes:
        tokenizer: The model's tokenizer.
        format: The family's fill-in-the-middle format, None when it has none.
        supports_fim: Whether the vocabulary has fill-in-the-middle tokens.
        end_ids: Generation stops at any of these.
        opening_ids: What every prompt begins with (bos), often nothing.
    """

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self.tokenizer = tokenizer
        self.format = detect_fim(tokenizer)
        self.supports_fim = self.format is not None
        if self.format is not None:
            self.end_ids = self.format.stops
            self.opening_ids = self.format.opening
            self._document_end: tuple[int, ...] = (self.format.document_end,)
        else:
            end = tokenizer.end_of_text_id
            self.end_ids = () if end is None else (end,)
            self.opening_ids = tokenizer.opening_ids
            self._document_end = self.end_ids

    def fim(self, prefix: str, suffix: str) -> list[int]:
        """Prompt that asks for the source between `prefix` and `suffix`.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        shape = self._fim_format()
        above, below = self.tokenizer.encode_batch([self._first(prefix), suffix])
        return _fim_prompt(shape, above, below)

    def fim_example(self, prefix: str, suffix: str, middle: str) -> Rendered:
        """Prompt of `fim` with the answer `middle` and its end token as the target.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        return self.fim_examples([(prefix, suffix, middle)])[0]

    def fim_examples(self, examples: Sequence[tuple[str, str, str]]) -> list[Rendered]:
        """`fim_example` of many (prefix, suffix, middle) at once, on all cores.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        shape = self._fim_format()
        texts = [text for prefix, suffix, middle in examples for text in (self._first(prefix), suffix, middle)]
        encoded = self.tokenizer.encode_batch(texts)
        rendered = []
        for above, below, answer in zip(encoded[::3], encoded[1::3], encoded[2::3], strict=True):
            prompt = _fim_prompt(shape, above, below)
            rendered.append(Rendered([*prompt, *answer, shape.end], len(prompt)))
        return rendered

    def signature(self, prefix: str, suffix: str) -> list[int]:
        """Prompt that asks for a function's body: the same contract as `fim`, which editors send for it.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        return self.fim(prefix, suffix)

    def code(self, text: str) -> Rendered:
        """A plain document with its end token; the opening, if the family has one, is the prompt."""
        return self.codes([text])[0]

    def codes(self, texts: Sequence[str]) -> list[Rendered]:
        """`code` of many texts at once, on all cores."""
        encoded = self.tokenizer.encode_batch([self._first(text) for text in texts])
        opening = self.opening_ids
        return [Rendered([*opening, *ids, *self._document_end], len(opening)) for ids in encoded]

    def _first(self, text: str) -> str:
        """The text as the model's own tokenizer would begin it."""
        return f" {text}" if text and self.tokenizer.begins_with_space else text

    def _fim_format(self) -> FimFormat:
        if self.format is None:
            raise ModelError(
                f"The model in {printable(self.tokenizer.directory)} cannot fill in the middle: "
                "its vocabulary has none of the control tokens for it.",
                "Choose a code model with fill-in-the-middle, or set `data.recipes.fim` to 0.",
            )
        return self.format


def _fim_prompt(shape: FimFormat, above: list[int], below: list[int]) -> list[int]:
    before, after = [*shape.prefix, *above], [*shape.suffix, *below]
    halves = [*before, *after] if shape.order == "prefix-first" else [*after, *before]
    return [*shape.opening, *halves, *shape.middle]
