"""The whole comparison."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import duotune.evaluation.answering as stage
from duotune.adapters.contract import Contract
from duotune.errors import RunFailed, UsageError
from duotune.evaluation.evaluate import evaluate
from duotune.evaluation.generate import answer
from duotune.evaluation.results import METRICS, Evaluation, ItemResult
from duotune.runs.reporter import SilentReporter, Stopped
from support.evaluated import write_random_adapter
from support.held_out import item
from support.memory import full_memory
from support.runs_config import tiny_run

FILES = ("items.jsonl", "report.json", "report.md", "contract.json")


@pytest.fixture(scope="module")
def adapter(micro_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_adapter(micro_model, tmp_path_factory.mktemp("adapter"))


SETS = {
    "fim": [item(number, path=f"file{number % 8}.py") for number in range(24)],
    "signature": [
        item(number, id=f"s{number}", set="signature", kind="body", path=f"s{number}.py") for number in range(6)
    ],
}
SETTINGS = {"max_new_tokens": 24, "batch_size": 8}


def compare(micro_model: Path, adapter: Path | None, directory: Path, report: Any = None) -> Evaluation:
    config = tiny_run(micro_model, evaluation=SETTINGS)
    return evaluate(SETS, micro_model, adapter, config, directory, report or SilentReporter(), "cpu")


@pytest.fixture(scope="module")
def compared(micro_model: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Path]:
    directory = tmp_path_factory.mktemp("evaluation")
    return compare(micro_model, adapter, directory), directory


def test_every_figure_can_be_recomputed_from_the_items(compared: tuple[Evaluation, Path]) -> None:
    evaluation, directory = compared
    lines = [ItemResult.model_validate_json(line) for line in (directory / "items.jsonl").read_text().splitlines()]
    assert len(lines) == 30
    for name, result in evaluation.sets.items():
        chosen = [line for line in lines if line.set == name]
        assert result.n == len(chosen)
        assert result.files == len({line.path for line in chosen})
        assert list(result.metrics) == list(METRICS)
        for metric, values in result.metrics.items():
            base = sum(line.metrics[metric].base for line in chosen) / len(chosen)
            adapter = sum(line.metrics[metric].adapter or 0.0 for line in chosen) / len(chosen)
            assert (values.base, values.adapter) == pytest.approx((base, adapter))
            assert values.difference == pytest.approx(adapter - base)
            assert values.interval[0] <= values.difference <= values.interval[1]
    assert json.loads((directory / "report.json").read_text()) == evaluation.model_dump(mode="json")


def test_the_report_shows_base_adapter_interval_verdict_and_what_each_metric_means(
    compared: tuple[Evaluation, Path],
) -> None:
    evaluation, directory = compared
    text = (directory / "report.md").read_text()
    assert f"**Verdict: {evaluation.verdict}.**" in text
    loss = evaluation.sets["fim"].metrics["gold_loss"]
    assert f"| {loss.base:.3f} | {loss.adapter:.3f} | {loss.difference:+.3f} |" in text
    assert all(f"**{name.replace('_', ' ')}**" in text for name in METRICS)
    assert "24 items from 8 files" in text
    assert f"{evaluation.random_pair_similarity:.3f}" in text


def test_the_prompt_in_the_items_is_the_one_that_the_model_got(
    compared: tuple[Evaluation, Path], micro_model: Path
) -> None:
    _, directory = compared
    line = json.loads((directory / "items.jsonl").read_text().splitlines()[0])
    first = SETS["fim"][0]
    assert line["prompt"] == f"<|fim_prefix|>{first.prefix}<|fim_suffix|>{first.suffix}<|fim_middle|>"


def test_the_contract_holds_what_the_unmodified_model_says_in_bfloat16(
    compared: tuple[Evaluation, Path], micro_model: Path, adapter: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    _, directory = compared
    contract = Contract.model_validate_json((directory / "contract.json").read_text())
    assert contract.precision == "bfloat16"
    assert contract.family is not None
    assert len(contract.cases) == 16
    base = AutoModelForCausalLM.from_pretrained(micro_model, dtype=torch.bfloat16).eval()
    case = next(case for case in contract.cases if len(case.target_ids) > 3)
    ids = torch.tensor([[*case.prompt_ids, *case.target_ids]])

    def scores(model: Any) -> list[float]:
        with torch.inference_mode():
            logprobs = model(ids).logits[0].float().log_softmax(-1)
        first = len(case.prompt_ids) - 1
        return [float(logprobs[first + place, token]) for place, token in enumerate(case.target_ids)]

    assert case.base == pytest.approx(scores(base), abs=0.1)
    assert case.adapter == pytest.approx(scores(PeftModel.from_pretrained(base, str(adapter)).eval()), abs=0.1)
    assert case.adapter != pytest.approx(case.base, abs=0.1)


def test_progress_counts_items_in_three_phases(micro_model: Path, adapter: Path, tmp_path: Path) -> None:
    report = SilentReporter()
    compare(micro_model, adapter, tmp_path, report)
    for phase in ("base", "adapter", "score"):
        seen = [
            done for name, done, total, unit in report.progressed if name == phase and (total, unit) == (30, "items")
        ]
        assert seen == sorted(seen)
        assert (seen[0], seen[-1]) == (0, 30)


class StopsAt(SilentReporter):
    """Asks to stop when a phase has so many items done."""

    def __init__(self, phase: str, done: int) -> None:
        super().__init__()
        self._fatal = (phase, done)

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        super().progress(phase, done, total, unit)
        self.stop_requested = self.stop_requested or (phase == self._fatal[0] and done >= self._fatal[1])


@pytest.mark.parametrize(("phase", "done"), [("base", 8), ("adapter", 16)])
def test_a_stopped_evaluation_goes_on_to_the_same_files(
    micro_model: Path, adapter: Path, tmp_path: Path, compared: tuple[Evaluation, Path], phase: str, done: int
) -> None:
    with pytest.raises(Stopped):
        compare(micro_model, adapter, tmp_path, StopsAt(phase, done))
    assert not (tmp_path / "report.json").exists()
    torn = tmp_path / f"answers-{phase}.jsonl"
    with torn.open("ab") as stream:
        stream.write(b'{"id":"item-0')
    report = SilentReporter()
    assert compare(micro_model, adapter, tmp_path, report) == compared[0]
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (compared[1] / name).read_bytes()
    first = next(count for name, count, _, _ in report.progressed if name == phase)
    assert first == done, "what was answered before tells nothing of the speed"


def test_answers_on_disk_are_not_generated_again(
    micro_model: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compare(micro_model, adapter, tmp_path)

    def never(*_: object) -> None:
        raise AssertionError("answered again")

    monkeypatch.setattr(stage, "answer", never)
    assert compare(micro_model, adapter, tmp_path) == first


def test_answers_of_another_adapter_or_to_other_questions_are_never_mixed_in(
    micro_model: Path, adapter: Path, tmp_path: Path
) -> None:
    other = write_random_adapter(micro_model, tmp_path / "other", seed=4)
    report = SilentReporter()
    with pytest.raises(Stopped):
        compare(micro_model, other, tmp_path / "resumed", StopsAt("adapter", 16))
    resumed = compare(micro_model, adapter, tmp_path / "resumed", report)
    assert [warning.split()[0] for warning in report.warnings] == ["answers-adapter.jsonl"]
    assert resumed == compare(micro_model, adapter, tmp_path / "fresh")
    report = SilentReporter()
    config = tiny_run(micro_model, evaluation={**SETTINGS, "max_new_tokens": 16})
    evaluate(SETS, micro_model, adapter, config, tmp_path / "resumed", report, "cpu")
    assert [warning.split()[0] for warning in report.warnings] == ["answers-base.jsonl", "answers-adapter.jsonl"]
    for side in ("base", "adapter"):
        lines = (tmp_path / "resumed" / f"answers-{side}.jsonl").read_text().splitlines()
        assert [json.loads(line).get("id", "head") for line in lines].count("head") == 1
        assert all(len(json.loads(line)["ids"]) <= 16 for line in lines[1:])


def test_an_adapter_that_changes_nothing_is_no_evidence(micro_model: Path, tmp_path: Path) -> None:
    nothing = write_random_adapter(micro_model, tmp_path / "zero", scale=0.0)
    evaluation = compare(micro_model, nothing, tmp_path / "evaluation")
    assert evaluation.verdict == "no evidence"
    for result in evaluation.sets.values():
        assert all(metric.difference == pytest.approx(0, abs=1e-6) for metric in result.metrics.values())


def test_the_base_model_alone_has_figures_and_no_comparison(micro_model: Path, tmp_path: Path) -> None:
    evaluation = compare(micro_model, None, tmp_path)
    assert not evaluation.compared
    assert evaluation.verdict == "no evidence"
    assert evaluation.sets["fim"].metrics["gold_loss"].base > 0
    assert all(json.loads(line)["adapter"] is None for line in (tmp_path / "items.jsonl").read_text().splitlines())
    assert "| | base |" in (tmp_path / "report.md").read_text()


def test_no_items_at_all_is_too_few(micro_model: Path, adapter: Path, tmp_path: Path) -> None:
    config = tiny_run(micro_model)
    evaluation = evaluate({"fim": []}, micro_model, adapter, config, tmp_path, SilentReporter(), "cpu")
    assert evaluation.verdict == "too few"
    assert evaluation.sets == {}


def test_full_memory_answers_a_batch_in_halves_with_the_same_result(
    micro_model: Path, adapter: Path, tmp_path: Path, compared: tuple[Evaluation, Path], monkeypatch: pytest.MonkeyPatch
) -> None:

    def small(models: Any, prompts: Any, *others: Any) -> Any:
        if len(prompts) > 4:
            raise torch.cuda.OutOfMemoryError("full")
        return answer(models, prompts, *others)

    monkeypatch.setattr(stage, "answer", small)
    report = SilentReporter()
    halved = compare(micro_model, adapter, tmp_path, report)
    assert "two halves" in report.warnings[0]
    for name, result in halved.sets.items():
        for metric, values in result.metrics.items():
            expected = compared[0].sets[name].metrics[metric]
            assert math.isclose(values.adapter, expected.adapter, abs_tol=1e-4)


@pytest.mark.parametrize(
    "place",
    [
        "duotune.evaluation.evaluate.load_two",
        "peft.PeftModel.from_pretrained",
        "duotune.evaluation.embed._base",
        "duotune.evaluation.contract.answer",
    ],
)
def test_full_memory_is_told_as_such_wherever_it_ends(
    micro_model: Path, adapter: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, full_memory)
    config = tiny_run(micro_model, evaluation=SETTINGS)
    with pytest.raises(RunFailed, match="memory does not hold this evaluation"):
        evaluate({"fim": SETS["fim"][:2]}, micro_model, adapter, config, tmp_path, SilentReporter(), "cpu")


def test_a_wrong_embedder_is_told_before_anything_is_answered(micro_model: Path, adapter: Path, tmp_path: Path) -> None:
    config = tiny_run(micro_model, evaluation={**SETTINGS, "embedder": "/nowhere/at/all"})
    with pytest.raises(UsageError, match="no directory"):
        evaluate(SETS, micro_model, adapter, config, tmp_path, SilentReporter(), "cpu")
    assert list(tmp_path.glob("answers-*")) == []


def test_results_need_neither_torch_nor_numpy() -> None:
    import subprocess
    import sys

    program = "import sys, duotune.evaluation.results; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    path = str(Path(stage.__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": path})
    assert done.stdout.strip() == "[]"
