"""Training from packed rows to an adapter."""

import json
import math
from pathlib import Path

import pytest
import torch

from duotune.config.run import RunConfig
from duotune.errors import HostError, ModelError, RunFailed, UsageError
from duotune.runs.reporter import SilentReporter
from duotune.training.rows import PackedRows
from duotune.training.train import train
from support.memory import full_memory
from support.packed import build_packed_dataset, counting_documents, packed_row, write_split
from support.runs_config import tiny_run
from support.trainings import run_training


def test_the_loss_falls_and_the_best_adapter_is_kept(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    report = SilentReporter()
    result = run_training(dataset, micro_model, tmp_path, report, training={"num_train_epochs": 3.0})
    assert result.steps == 36
    assert result.initial_validation_loss is not None
    assert result.validation_loss is not None
    assert result.validation_loss < result.initial_validation_loss - 0.25
    losses = {step: values["validation_loss"] for step, values in report.measured if "validation_loss" in values}
    assert losses[0] == result.initial_validation_loss
    assert losses[result.best_step] == result.validation_loss == min(losses.values())
    assert result.tokens == 36 * 2 * 48
    assert report.progressed[-1] == ("train", 36, 36, "steps")


def test_every_metric_that_the_app_shows_is_reported(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    report = SilentReporter()
    result = run_training(dataset, micro_model, tmp_path, report)
    values = next(values for step, values in report.measured if step == 12 and "loss" in values)
    assert values.keys() == {
        "loss", "gradient_norm", "learning_rate", "epoch", "tokens_per_second", "peak_memory_bytes",
    }  # fmt: skip
    assert values["epoch"] == 1.0
    assert values["tokens_per_second"] > 0
    assert result.peak_memory_bytes >= values["peak_memory_bytes"] > 2**20
    mean = sum(values["loss"] for _, values in report.measured if "loss" in values) / 12
    assert result.train_loss == pytest.approx(mean)


def test_peft_loads_the_adapter_and_gives_the_validation_loss_that_was_reported(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    result = run_training(dataset, micro_model, tmp_path)
    base = AutoModelForCausalLM.from_pretrained(micro_model, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(result.adapter)).eval()
    total, labels = 0.0, 0
    rows = PackedRows(dataset / "validation")
    for index in range(len(rows)):
        for document in torch.from_numpy(rows[index].input_ids.copy()).long().view(-1, 16):
            with torch.no_grad():
                logits = model(document[None]).logits[0, :-1]
            total += float(torch.nn.functional.cross_entropy(logits, document[1:], reduction="sum"))
            labels += len(document) - 1
    assert total / labels == pytest.approx(result.validation_loss, abs=1e-5)


def test_the_adapter_names_no_path_of_this_machine_and_sorts_its_modules(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    result = run_training(dataset, micro_model, tmp_path, training={"max_steps": 1})
    assert sorted(file.name for file in result.adapter.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    text = (result.adapter / "adapter_config.json").read_text()
    config = json.loads(text)
    assert str(micro_model.parent) not in text
    assert config["base_model_name_or_path"] == micro_model.name
    assert config["target_modules"] == sorted(config["target_modules"])
    assert {"q_proj", "down_proj"} <= set(config["target_modules"])
    assert config["peft_type"] == "LORA"
    assert config["inference_mode"] is True


def test_training_in_bfloat16_also_lowers_the_loss(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    result = run_training(dataset, micro_model, tmp_path, model={"dtype": "bfloat16"})
    assert result.validation_loss is not None
    assert result.initial_validation_loss is not None
    assert result.validation_loss < result.initial_validation_loss - 0.1


def test_a_budget_becomes_steps_once_and_is_recalled_by_a_resumed_run(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    report = SilentReporter()
    result = run_training(dataset, micro_model, tmp_path / "a", report, training={"max_minutes": 1e-4})
    assert report.decisions == {"total_steps": 1, "eval_steps": 1, "validation_rows": 1}
    assert result.steps == 1
    recalled = SilentReporter(decisions={"total_steps": 5, "eval_steps": 2, "validation_rows": 3})
    assert run_training(dataset, micro_model, tmp_path / "b", recalled, training={"max_minutes": 1e-4}).steps == 5
    checked = [step for step, values in recalled.measured if "validation_loss" in values]
    assert checked == [0, 2, 4, 5]


def test_early_stopping_ends_a_training_that_gets_worse(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    report = SilentReporter()
    settings = {"learning_rate": 1.0, "max_steps": 30, "eval_steps": 1, "early_stopping_patience": 3,
                "max_grad_norm": 1e6, "lr_scheduler_type": "constant"}  # fmt: skip
    result = run_training(dataset, micro_model, tmp_path, report, training=settings)
    losses = [values["validation_loss"] for _, values in report.measured if "validation_loss" in values]
    assert result.steps == result.best_step + 3 < 30
    assert min(losses) == losses[result.best_step] == result.validation_loss


def test_without_validation_rows_the_last_step_is_kept(micro_model: Path, tmp_path: Path) -> None:
    dataset = build_packed_dataset(tmp_path / "dataset", rows=4, validation_rows=0)
    result = run_training(dataset, micro_model, tmp_path / "run")
    assert (result.steps, result.best_step) == (2, 2)
    assert result.validation_loss is None


def failing(config: RunConfig, dataset: Path, model: Path, directory: Path) -> None:
    train(dataset, model, config, directory, SilentReporter(), "cpu")


def test_an_infinite_loss_is_a_sentence_and_leaves_no_checkpoint_of_it(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    broken = write_split(tmp_path / "bad" / "train", [packed_row(counting_documents(2), weight=math.inf)]).parent
    write_split(broken / "validation", [packed_row(counting_documents(2))])
    with pytest.raises(RunFailed, match="not a finite number") as caught:
        failing(tiny_run(micro_model), broken, micro_model, tmp_path / "run")
    assert "learning_rate" in caught.value.hint
    assert list((tmp_path / "run" / "checkpoints").iterdir()) == []


def test_each_thing_that_cannot_be_trained_has_its_own_sentence(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    empty = build_packed_dataset(tmp_path / "empty", rows=0)
    with pytest.raises(RunFailed, match="no rows to train on"):
        failing(tiny_run(micro_model), empty, micro_model, tmp_path / "a")
    with pytest.raises(ModelError, match="cannot be loaded"):
        failing(tiny_run(micro_model), dataset, empty, tmp_path / "b")
    with pytest.raises(UsageError, match="does not fit the base model"):
        failing(tiny_run(micro_model, lora={"target_modules": ["nonsense"]}), dataset, micro_model, tmp_path / "c")
    with pytest.raises(UsageError, match="output embeddings"):
        failing(
            tiny_run(micro_model, lora={"target_modules": ["q_proj", "lm_head"]}), dataset, micro_model, tmp_path / "d"
        )
    with pytest.raises(HostError, match="nf4"):
        failing(tiny_run(micro_model, model={"quantization": "nf4"}), dataset, micro_model, tmp_path / "e")


@pytest.mark.parametrize(
    "place",
    [
        "duotune.training.loop.load_trainable",
        "duotune.training.model.documents_are_isolated",
        "duotune.training.gradients.GlobalBatch.mean_loss",
        "duotune.training.optimizer.MasterAdamW.step",
    ],
)
def test_full_memory_is_told_as_such_wherever_it_ends(
    dataset: Path, micro_model: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, full_memory)
    with pytest.raises(RunFailed, match="memory does not hold this training") as caught:
        run_training(dataset, micro_model, tmp_path)
    assert "data.sequence_length" in caught.value.hint
    assert "nf4" in caught.value.hint
