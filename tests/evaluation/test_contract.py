"""The contract holds what a server of the model must answer."""

from pathlib import Path
from typing import Any

import pytest
import torch

from duotune.config.run import ModelConfig
from duotune.evaluation.answers import StoredAnswer
from duotune.evaluation.contract import make_contract
from duotune.evaluation.model import load_two
from duotune.evaluation.prompts import Question
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import load_tokenizer
from duotune.runs.reporter import SilentReporter
from support.evaluated import write_random_adapter
from support.held_out import item


def long_questions(count: int) -> list[tuple[Question, StoredAnswer]]:
    generator = torch.Generator().manual_seed(5)
    pairs = []
    for number in range(count):
        ids = torch.randint(20, 700, (640,), generator=generator).tolist()
        question = Question(item(number), ids[:600], ids[600:632], 32)
        said = StoredAnswer(
            id=question.item.id, text="", ids=[], stopped=True, has_control_token=False, gold_logprobs=[]
        )
        pairs.append((question, said))
    return pairs


def looking_at_places(micro_model: Path, directory: Path) -> Path:
    """The micro model with sharper attention: as it is, it hardly minds where a token stands."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(micro_model, dtype=torch.bfloat16)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "_proj.weight" in name:
                parameter *= 20 if "q_proj" in name or "k_proj" in name else 3
    model.save_pretrained(directory)
    AutoTokenizer.from_pretrained(micro_model).save_pretrained(directory)
    return directory


def test_long_prompts_are_scored_as_by_a_model_that_was_loaded_in_bfloat16(micro_model: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = looking_at_places(micro_model, tmp_path / "model")
    adapter = write_random_adapter(model, tmp_path / "adapter", scale=0.1)
    models = load_two(model, adapter, ModelConfig(path=str(model)), "cpu")
    report = SilentReporter()
    contract = make_contract(models, long_questions(4), PromptRenderer(load_tokenizer(model)), "fingerprint", report)
    assert report.progressed == [("record for serving", done, 4, "prompts") for done in range(5)]
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16).eval()
    adapted = PeftModel.from_pretrained(base, str(adapter), autocast_adapter_dtype=False).eval()
    for parameter in adapted.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)

    def scores(adapted: Any, prompt: list[int], target: list[int]) -> list[float]:
        with torch.inference_mode():
            logprobs = adapted(torch.tensor([prompt + target])).logits[0].float().log_softmax(-1)
        return [float(logprobs[len(prompt) - 1 + place, token]) for place, token in enumerate(target)]

    assert contract.precision == "bfloat16"
    for case in contract.cases:
        assert len(case.prompt_ids) == 600
        assert case.adapter == pytest.approx(scores(adapted, case.prompt_ids, case.target_ids), abs=0.02)
        with adapted.disable_adapter():
            assert case.base == pytest.approx(scores(adapted, case.prompt_ids, case.target_ids), abs=0.02)
