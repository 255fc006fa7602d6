"""Greedy answers and gold scores against plain transformers."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from duotune.base_model import NF4
from duotune.config.run import ModelConfig
from duotune.errors import CheckFailed, HostError, ModelError
from duotune.evaluation.generate import answer
from duotune.evaluation.model import TwoModels, load_two
from support.evaluated import write_random_adapter

PROMPTS = [[5, 9, 40, 41, 42], [7], [300, 301, 302, 303, 304, 305, 306, 307, 308], [20, 21]]
TARGETS = [[50, 51, 52], [60], list(range(100, 180)), [70, 71]]
LIMITS = [12, 30, 7, 1]


@pytest.fixture(scope="module")
def adapter(micro_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_adapter(micro_model, tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def models(micro_model: Path, adapter: Path) -> TwoModels:
    return load_two(micro_model, adapter, ModelConfig(path=str(micro_model)), "cpu")


def plain_logits(model: torch.nn.Module, ids: Sequence[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0]  # type: ignore[no-any-return]


def plain_greedy(model: torch.nn.Module, prompt: Sequence[int], limit: int, end: int) -> tuple[list[int], bool]:
    ids = list(prompt)
    for _ in range(limit + 1):
        token = int(plain_logits(model, ids)[-1].argmax())
        if token == end:
            return ids[len(prompt) :], True
        if len(ids) - len(prompt) == limit:
            break
        ids.append(token)
    return ids[len(prompt) :], False


def test_base_answers_equal_those_of_the_unadapted_model_and_the_adapter_s_differ(
    models: TwoModels, micro_model: Path, adapter: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    stock = AutoModelForCausalLM.from_pretrained(micro_model, dtype=torch.float32).eval()
    with models.speaking("base"):
        base = answer(models, PROMPTS, TARGETS, LIMITS, [-1])
    with models.speaking("adapter"):
        tuned = answer(models, PROMPTS, TARGETS, LIMITS, [-1])
    for place, prompt in enumerate(PROMPTS):
        logprobs = plain_logits(stock, [*prompt, *TARGETS[place]]).log_softmax(-1)
        expected = [float(logprobs[len(prompt) - 1 + n, token]) for n, token in enumerate(TARGETS[place])]
        assert base[place].gold_logprobs == pytest.approx(expected, abs=1e-4)
        assert base[place].ids == plain_greedy(stock, prompt, LIMITS[place], -1)[0]
    over = PeftModel.from_pretrained(stock, str(adapter)).eval()
    for place, prompt in enumerate(PROMPTS):
        assert tuned[place].ids == plain_greedy(over, prompt, LIMITS[place], -1)[0]
    assert [found.gold_logprobs for found in base] != [found.gold_logprobs for found in tuned]


@pytest.mark.parametrize("side", ["base", "adapter"])
def test_a_batch_answers_each_prompt_as_it_would_alone_and_stops_it_at_its_own_end(
    models: TwoModels, side: str
) -> None:
    with models.speaking("base" if side == "base" else "adapter"):
        free = answer(models, PROMPTS, TARGETS, LIMITS, [-1])
        end = free[0].ids[4]
        together = answer(models, PROMPTS, TARGETS, LIMITS, [end])
        alone = [
            answer(models, [prompt], [target], [limit], [end])[0]
            for prompt, target, limit in zip(PROMPTS, TARGETS, LIMITS, strict=True)
        ]
    assert [found.ids for found in together] == [found.ids for found in alone]
    assert [found.stopped for found in together] == [found.stopped for found in alone]
    assert together[0].stopped
    assert end not in together[0].ids
    for batched, single in zip(together, alone, strict=True):
        assert batched.gold_logprobs == pytest.approx(single.gold_logprobs, abs=1e-4)


def test_limits_hold_for_each_answer(models: TwoModels) -> None:
    with models.speaking("base"):
        found = answer(models, PROMPTS, TARGETS, LIMITS, [-1])
    assert [len(each.ids) for each in found] == LIMITS
    assert not any(each.stopped for each in found)


def test_an_adapter_that_does_not_fit_and_a_model_that_is_none_are_sentences(
    micro_model: Path, adapter: Path, tmp_path: Path
) -> None:
    settings = ModelConfig(path=str(micro_model))
    with pytest.raises(CheckFailed, match="does not load over its base model"):
        load_two(micro_model, tmp_path, settings, "cpu")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_two(tmp_path, adapter, settings, "cpu")


class Captured(Exception):
    """The load that was asked for."""


def test_the_base_is_quantized_as_for_training(micro_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def load(_: Path, **options: Any) -> None:
        asked.update(options)
        raise Captured

    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", load)
    monkeypatch.setattr("transformers.BitsAndBytesConfig", dict)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    settings = ModelConfig(path=str(micro_model), quantization="nf4")
    with pytest.raises(Captured):
        load_two(micro_model, None, settings, "cuda:0")
    assert asked["quantization_config"] == NF4
    assert asked["dtype"] is torch.bfloat16
    monkeypatch.undo()
    with pytest.raises(HostError, match="nf4"):
        load_two(micro_model, None, settings, "cpu")
    unquantized = load_two(micro_model, None, ModelConfig(path=str(micro_model), dtype="bfloat16"), "cpu")
    assert unquantized.precision == "bfloat16"
    assert dataclasses.replace(unquantized, quantization="nf4").precision == "bfloat16 over nf4 weights"
