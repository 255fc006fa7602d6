"""Training from packed rows to an adapter."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from duotune.config.run import RunConfig
from duotune.errors import HostError, ModelError, RunFailed, UsageError
from duotune.runs.reporter import SilentReporter, Stopped
from duotune.training.checkpoints import newest
from duotune.training.gradients import GlobalBatch
from duotune.training.model import TrainableModel, load_trainable
from duotune.training.optimizer import MasterAdamW
from duotune.training.rows import PackedRows
from duotune.training.train import TrainResult, train
from support.packed import build_packed_dataset, counting_documents, packed_row, write_split
from support.rows import as_row
from support.runs_config import tiny_run

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_packed_dataset(tmp_path_factory.mktemp("packed") / "dataset")


def digest(adapter: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(adapter.iterdir())}


def run(dataset: Path, micro: Path, directory: Path, report: Any = None, **sections: dict[str, Any]) -> TrainResult:
    return train(dataset, micro, tiny_run(micro, **sections), directory, report or SilentReporter(), "cpu")


def test_the_loss_falls_and_the_best_adapter_is_kept(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    report = SilentReporter()
    result = run(dataset, micro_model, tmp_path, report, training={"num_train_epochs": 3.0})
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
    result = run(dataset, micro_model, tmp_path, report)
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

    result = run(dataset, micro_model, tmp_path)
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
    result = run(dataset, micro_model, tmp_path, training={"max_steps": 1})
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


def test_the_gradient_does_not_depend_on_how_the_global_batch_is_cut(micro_model: Path) -> None:
    config = tiny_run(micro_model)
    model = load_trainable(micro_model, config, CPU)
    rows = [as_row(packed_row(counting_documents(1, seed, length), weight=1 + seed % 2)) for seed, length in
            enumerate((30, 4, 11, 7))]  # fmt: skip
    norms, losses = [], []
    for micro_rows in (1, 2, 4):
        optimizer = MasterAdamW(model.trainable, config.training)
        losses.append(float(GlobalBatch(model, optimizer, micro_rows, SilentReporter()).gradients(rows)))
        norms.append(float(optimizer.step(0.0)))
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    assert norms == pytest.approx([norms[0]] * 3, rel=1e-4)


class OutOfMemoryAbove:
    """A model whose memory ends above so many tokens."""

    def __init__(self, model: TrainableModel, tokens: int) -> None:
        self._model, self._tokens = model, tokens
        self.device = model.device

    def loss(self, batch: Any, normaliser: float) -> torch.Tensor:
        if batch.tokens > self._tokens:
            raise torch.cuda.OutOfMemoryError("full")
        return self._model.loss(batch, normaliser)


def test_full_memory_halves_the_micro_batch_once_for_all_and_keeps_the_step(micro_model: Path) -> None:
    config = tiny_run(micro_model)
    model = load_trainable(micro_model, config, CPU)
    rows = [as_row(packed_row(counting_documents(1, seed, 10))) for seed in range(4)]
    optimizer = MasterAdamW(model.trainable, config.training)
    expected = float(GlobalBatch(model, optimizer, 4, SilentReporter()).gradients(rows))
    optimizer.discard_gradients()
    report = SilentReporter()
    small: Any = OutOfMemoryAbove(model, 20)
    batch = GlobalBatch(small, optimizer, 4, report)
    assert float(batch.gradients(rows)) == pytest.approx(expected, rel=1e-5)
    assert batch.tokens == 40
    assert report.decisions == {"per_device_train_batch_size": 2}
    assert GlobalBatch(small, optimizer, 4, report).micro_rows == 2
    with pytest.raises(RunFailed, match="does not hold one row"):
        GlobalBatch(OutOfMemoryAbove(model, 5), optimizer, 1, SilentReporter()).gradients(rows)  # type: ignore[arg-type]


def test_bfloat16_adapters_learn_through_their_float32_masters() -> None:
    weight = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = MasterAdamW({"w": weight}, tiny_run(Path("m"), training={"max_grad_norm": 100.0}).training)
    for _ in range(40):
        weight.grad = torch.ones_like(weight)
        optimizer.collect_gradients()
        optimizer.step(1e-4)
    assert optimizer.weights()["w"].dtype == torch.float32
    torch.testing.assert_close(optimizer.weights()["w"], torch.full((4,), 1 - 40e-4))
    assert float(weight[0].detach()) < 1.0


def test_a_parameter_without_a_gradient_survives_a_restore_and_the_next_checkpoint() -> None:
    settings = tiny_run(Path("m")).training

    def stepped(used: torch.nn.Parameter, unused: torch.nn.Parameter, optimizer: MasterAdamW) -> MasterAdamW:
        used.grad = torch.ones_like(used)
        optimizer.collect_gradients()
        optimizer.step(1e-2)
        return optimizer

    def fresh() -> tuple[torch.nn.Parameter, torch.nn.Parameter, MasterAdamW]:
        used, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
        return used, unused, MasterAdamW({"used": used, "unused": unused}, settings)

    undisturbed = stepped(*fresh())
    used, unused, restored = fresh()
    restored.restore(undisturbed.weights(), undisturbed.moments())
    assert restored.moments().keys() == {"used/exp_avg", "used/exp_avg_sq", "used/step"}
    unused.grad = torch.ones_like(unused)
    stepped(used, unused, restored)
    assert "unused/exp_avg" in restored.moments()


def test_training_in_bfloat16_also_lowers_the_loss(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    result = run(dataset, micro_model, tmp_path, model={"dtype": "bfloat16"})
    assert result.validation_loss is not None
    assert result.initial_validation_loss is not None
    assert result.validation_loss < result.initial_validation_loss - 0.1


def test_a_budget_becomes_steps_once_and_is_recalled_by_a_resumed_run(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    report = SilentReporter()
    result = run(dataset, micro_model, tmp_path / "a", report, training={"max_minutes": 1e-4})
    assert report.decisions == {"total_steps": 1, "eval_steps": 1, "validation_rows": 1}
    assert result.steps == 1
    recalled = SilentReporter(decisions={"total_steps": 5, "eval_steps": 2, "validation_rows": 3})
    assert run(dataset, micro_model, tmp_path / "b", recalled, training={"max_minutes": 1e-4}).steps == 5
    checked = [step for step, values in recalled.measured if "validation_loss" in values]
    assert checked == [0, 2, 4, 5]


def test_early_stopping_ends_a_training_that_gets_worse(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    report = SilentReporter()
    settings = {"learning_rate": 1.0, "max_steps": 30, "eval_steps": 1, "early_stopping_patience": 3,
                "max_grad_norm": 1e6, "lr_scheduler_type": "constant"}  # fmt: skip
    result = run(dataset, micro_model, tmp_path, report, training=settings)
    losses = [values["validation_loss"] for _, values in report.measured if "validation_loss" in values]
    assert result.steps == result.best_step + 3 < 30
    assert min(losses) == losses[result.best_step] == result.validation_loss


def test_without_validation_rows_the_last_step_is_kept(micro_model: Path, tmp_path: Path) -> None:
    dataset = build_packed_dataset(tmp_path / "dataset", rows=4, validation_rows=0)
    result = run(dataset, micro_model, tmp_path / "run")
    assert (result.steps, result.best_step) == (2, 2)
    assert result.validation_loss is None


def test_a_stop_leaves_a_checkpoint_and_the_resumed_run_ends_with_the_same_bytes(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    undisturbed = run(dataset, micro_model, tmp_path / "a", training={"eval_steps": 4})

    class StopsAtFive(SilentReporter):
        def progress(self, phase: str, done: int, total: int, unit: str) -> None:
            self.stop_requested = done == 5

    report = StopsAtFive()
    with pytest.raises(Stopped):
        run(dataset, micro_model, tmp_path / "b", report, training={"eval_steps": 4})
    assert report.checkpoints[-1][0] == 5
    resumed = run(dataset, micro_model, tmp_path / "b", training={"eval_steps": 4})
    assert digest(resumed.adapter) == digest(undisturbed.adapter)
    assert resumed.train_loss == undisturbed.train_loss
    assert resumed.tokens == undisturbed.tokens


def test_dropout_too_is_the_same_after_a_resume(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {"lora": {"lora_dropout": 0.3}, "training": {"eval_steps": 4}}
    undisturbed = run(dataset, micro_model, tmp_path / "a", **settings)
    with pytest.raises(Stopped):
        run(dataset, micro_model, tmp_path / "b", SilentReporter(stop_requested=True), **settings)
    torch.rand(17)
    assert digest(run(dataset, micro_model, tmp_path / "b", **settings).adapter) == digest(undisturbed.adapter)


@pytest.mark.parametrize("damaged", ["adapter_model.safetensors", "state.json", "digests.json"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(
    dataset: Path, micro_model: Path, tmp_path: Path, damaged: str
) -> None:
    result = run(dataset, micro_model, tmp_path, training={"eval_steps": 4})
    before = digest(result.adapter)
    last = sorted((tmp_path / "checkpoints").glob("step-*"))[-1] / damaged
    last.write_bytes(last.read_bytes()[:-9] + b"x" * 8)
    report = SilentReporter()
    again = run(dataset, micro_model, tmp_path, report, training={"eval_steps": 4})
    assert "step-000012 is damaged" in report.warnings[0]
    assert report.progressed[0] == ("train", 8, 12, "steps")
    assert digest(again.adapter) == before


def test_only_the_newest_two_checkpoints_stay(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    run(dataset, micro_model, tmp_path, training={"eval_steps": 2})
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-000010", "step-000012"]


def test_a_finished_training_answers_again_without_training(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    first = run(dataset, micro_model, tmp_path)
    report = SilentReporter()
    assert run(tmp_path / "gone" / dataset.name, tmp_path / "no model", tmp_path, report) == first
    assert report.measured == []


@pytest.mark.parametrize("ended", [True, False])
def test_checkpoints_of_another_dataset_are_not_gone_on_from(
    dataset: Path, micro_model: Path, tmp_path: Path, ended: bool
) -> None:
    other = build_packed_dataset(tmp_path / "other", rows=30)
    settings = {"max_steps": 4, "save_steps": 1}
    if ended:
        run(other, micro_model, tmp_path / "run", training={**settings, "max_steps": 6})
    else:
        with pytest.raises(Stopped):
            run(other, micro_model, tmp_path / "run", SilentReporter(stop_requested=True), training=settings)
    report = SilentReporter()
    result = run(dataset, micro_model, tmp_path / "run", report, training=settings)
    assert "another dataset" in report.warnings[0]
    assert digest(result.adapter) == digest(run(dataset, micro_model, tmp_path / "b", training=settings).adapter)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["step-000003", "step-000004"]


def test_a_half_written_checkpoint_is_never_seen_and_is_swept_away(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    part = tmp_path / "checkpoints" / ".step-000004.part"
    part.mkdir(parents=True)
    (part / "adapter_model.safetensors").write_bytes(b"torn")
    assert newest(tmp_path / "checkpoints", pytest.fail) is None
    old = tmp_path / ".adapter.old"
    old.mkdir()
    report = SilentReporter(stop_requested=True)
    with pytest.raises(Stopped):
        run(dataset, micro_model, tmp_path, report, training={"eval_steps": 4})
    assert not part.exists()
    assert not old.exists()
    assert run(dataset, micro_model, tmp_path, training={"eval_steps": 4}).steps == 12


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


def full(*_: Any, **__: Any) -> Any:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory")


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
    monkeypatch.setattr(place, full)
    with pytest.raises(RunFailed, match="memory does not hold this training") as caught:
        run(dataset, micro_model, tmp_path)
    assert "data.sequence_length" in caught.value.hint
    assert "nf4" in caught.value.hint
