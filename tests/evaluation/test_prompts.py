"""Held-out items as token ids."""

from pathlib import Path

import pytest

from duotune.evaluation.prompts import fit, render
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import CodeTokenizer, load_tokenizer
from support.held_out import item


@pytest.fixture(scope="module")
def tokenizer(micro_model: Path) -> CodeTokenizer:
    return load_tokenizer(micro_model)


def test_prompt_and_target_are_those_of_the_one_renderer(tokenizer: CodeTokenizer) -> None:
    renderer = PromptRenderer(tokenizer)
    asked = item(gold="exit_code = 3")
    (question,) = render([asked], renderer, context=512, longest=256)
    assert question.prompt == renderer.fim(asked.prefix, asked.suffix)
    assert [*question.prompt, *question.target] == renderer.fim_example(asked.prefix, asked.suffix, asked.gold).ids
    assert question.limit == 2 * len(tokenizer.encode(asked.gold)) + 32


@pytest.mark.parametrize("context", [64, 100, 400])
def test_what_does_not_fit_is_cut_far_from_the_hole(tokenizer: CodeTokenizer, context: int) -> None:
    renderer = PromptRenderer(tokenizer)
    long = item(prefix="äbove\n" * 400 + "near above", suffix="near below" + "\nbelow" * 400, gold="x = 1\n" * 90)
    (question,) = render([long], renderer, context, longest=256)
    assert len(question.prompt) + max(question.limit, len(question.target)) <= context
    prompt = tokenizer.decode(question.prompt)
    assert "\ufffd" not in prompt
    if context == 400:
        assert "near abovenear below" in prompt


def test_what_one_side_does_not_need_is_the_other_s(tokenizer: CodeTokenizer) -> None:
    for prefix, suffix in (("word " * 300, "end"), ("start", "word " * 300)):
        above, below = fit(tokenizer, prefix, suffix, 100)
        assert prefix.endswith(above)
        assert suffix.startswith(below)
        used = len(tokenizer.encode(above)) + len(tokenizer.encode(below))
        assert 90 <= used <= 100
    assert fit(tokenizer, "word " * 300, "word " * 300, 0) == ("", "")
