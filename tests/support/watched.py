"""Runs to watch: real directories with journals, logs, and workers that are alive."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pydantic import JsonValue

from duotune.evaluation.examples import GROUPS, ITEMS
from duotune.evaluation.results import METRICS, Evaluation, ItemResult, Metric, Pair, SetResult, Verdict
from duotune.evaluation.score import summarise_groups
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import (
    CheckpointSaved,
    Event,
    MetricsMeasured,
    ProgressMade,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
)
from duotune.runs.funnel import Amount, Funnel, Share
from duotune.runs.journal import Journal
from duotune.runs.results import Evaluated, Published, PublishedVersion, Trained
from support.runs import prepared, run_config
from support.scored import scored_item

HOLDER = """
import sys
from pathlib import Path
from duotune.runs.lock import try_lock
lock = try_lock(Path(sys.argv[1]), "holder")
print(lock is not None, flush=True)
sys.stdin.read()
"""


def write(run: RunDirectory, *events: Event) -> RunDirectory:
    """Add events to a run's journal."""
    with Journal(run.journal_file) as journal:
        for event in events:
            journal.append(event)
    return run


@contextmanager
def worked_on(run: RunDirectory) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the run's lock as a worker does, and ends when it is told to."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run.lock_file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    try:
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def training_run(name: str = "shop", steps: int = 20, of: int = 40) -> RunDirectory:
    """A run in the middle of its training."""
    run = create_run(run_config(name))
    run.log_file.write_text("".join(f"step {step}: loss {4 - step / 20:.3f}\n" for step in range(1, steps + 1)))
    return write(
        run,
        RunStarted(pid=1, process_start=1, attempt=1),
        StageStarted(stage="prepare"),
        StageFinished(stage="prepare", result=_prepared()),
        StageStarted(stage="train"),
        ProgressMade(phase="train", done=0, total=of, unit="steps"),
        *[measured(step) for step in range(1, steps + 1)],
        CheckpointSaved(step=steps, path="/checkpoint"),
        ProgressMade(phase="train", done=steps, total=of, unit="steps"),
    )


def measured(step: int) -> MetricsMeasured:
    """What a training journals at a step."""
    values = {"loss": 4 - step / 20, "learning_rate": 1e-4, "tokens_per_second": 2_000.0, "peak_memory_bytes": 9e8}
    if step % 5 == 0:
        values["validation_loss"] = 4 - step / 25
    return MetricsMeasured(step=step, values=values)


def finished_run(
    name: str = "shop",
    verdict: Verdict = "better",
    items: Sequence[ItemResult] = (),
    state: str = "published",
) -> RunDirectory:
    """A run that went through to its end; its adapter is `NAME.v1`."""
    run = training_run(name, steps=40)
    folder = run.path / "evaluation"
    folder.mkdir()
    (folder / ITEMS).write_text("".join(f"{item.model_dump_json()}\n" for item in items))
    (folder / GROUPS).write_text(summarise_groups(items, seed=0).model_dump_json())
    (folder / "report.md").write_text("# Report\n")
    found = evaluation(verdict)
    version = PublishedVersion.model_validate(
        {"name": f"{name}.v1", "adapter": name, "version": 1, "state": state, "location": "/a", "reused": False}
    )
    trained = Trained(
        adapter="/adapter",
        steps=40,
        best_step=40,
        train_loss=2.0,
        validation_loss=2.4,
        initial_validation_loss=4.0,
        tokens=1,
        seconds=1.0,
        peak_memory_bytes=1,
    )
    evaluated = Evaluated(evaluation=found.model_dump(mode="json"), report=str(folder / "report.md"))
    return write(
        run,
        StageFinished(stage="train", result=trained.model_dump(mode="json")),
        StageStarted(stage="evaluate"),
        StageFinished(stage="evaluate", result=evaluated.model_dump(mode="json")),
        StageStarted(stage="publish"),
        StageFinished(stage="publish", result=Published(published=version).model_dump(mode="json")),
        RunFinished(),
    )


def evaluation(verdict: Verdict = "better", reason: str = "A gain is shown and no loss.") -> Evaluation:
    """Figures of one set: similarity gained, bad responses unclear, the loss on the author's code lower."""
    shown = {
        "edit_similarity": Metric(base=0.4, adapter=0.5, difference=0.1, interval=(0.05, 0.15), p_value=0.01),
        "bad_responses": Metric(base=0.2, adapter=0.1, difference=-0.1, interval=(-0.3, 0.1), p_value=0.4),
        "gold_loss": Metric(base=2.0, adapter=1.5, difference=-0.5, interval=(-0.6, -0.4), p_value=0.01),
    }
    none = Metric(base=0.0, adapter=0.0, difference=0.0, interval=(0.0, 0.0), p_value=1.0)
    metrics = {name: shown.get(name, none) for name in METRICS}
    result = SetResult(n=20, files=10, metrics=metrics, bad_reasons={"loop": (2, 1)})
    return Evaluation(
        verdict=verdict,
        reason=reason,
        compared=True,
        sets={"fim": result},
        embedder="base",
        random_pair_similarity=0.1,
        model="f",
        precision="bfloat16",
    )


def example(number: int, similarity: float, adapters: float, **changes: object) -> ItemResult:
    """An item with the similarities of the base model's and of the adapter's answer."""
    made = scored_item(number, edit_similarity=Pair(base=similarity, adapter=adapters))
    return made.model_copy(update=changes)


def _prepared() -> dict[str, JsonValue]:
    amount = Amount(files=300, bytes=2_000_000, tokens=None)
    kept = Amount(files=200, bytes=1_500_000, tokens=400_000)
    funnel = Funnel(
        stages={"listed": amount, "distinct": kept, "train": kept},
        reasons={"too-long": Amount(files=100, bytes=500_000)},
        projects={"shop": Share(kept=kept)},
        languages={"Python": Share(kept=kept)},
        leaked=0,
        leaks_dropped=2,
        contaminated_items=0,
    )
    found = prepared(funnel=funnel, items={"fim": 20})
    return {**found.model_dump(mode="json"), "funnel": funnel.model_dump(mode="json")}
