"""Where a run stands while it works: how far it is, how long it still takes, and what it measured last."""

from __future__ import annotations

from collections.abc import Callable

from duotune.runs.fold import expected_seconds
from duotune.runs.state import PHASES, Progress, RunState, StageState
from duotune.runs.wording import in_bytes, in_gib, in_words

PHASE_WORDS = {"base": "base model answers", "adapter": "adapter answers"}
"""Names of phases that say too little by themselves."""
ALMOST = 0.95
"""So much of a stage is done at most while its end is only reckoned."""
UNKNOWN = "–"

_FIGURES: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("loss", "loss {:.3f}".format),
    ("validation_loss", "validation loss {:.3f}".format),
    ("best_validation_loss", "best validation loss {:.3f}".format),
    ("learning_rate", "learning rate {:.2g}".format),
    ("tokens_per_second", "{:,.0f} tokens trained on per second".format),
    ("peak_memory_bytes", lambda size: f"peak memory {in_gib(size)}"),
)


def phase(state: RunState) -> str:
    """Name of the current phase; empty when there is none."""
    return PHASE_WORDS.get(state.progress.phase, state.progress.phase) if state.progress else ""


def amount_done(state: RunState) -> str:
    """How much of the current phase is done: `120/400 files`; empty when there is no phase."""
    progress = state.progress
    if progress is None:
        return ""
    if progress.unit == "bytes":
        return f"{in_bytes(progress.done)} of {in_bytes(progress.total)}"
    return f"{progress.done:,}/{progress.total:,} {progress.unit}"


def progress_in_words(state: RunState) -> str:
    """How far the current phase is: `read billing 120/400 files`; empty when there is no phase."""
    return f"{phase(state)} {amount_done(state)}".strip()


def share_of_phase(state: RunState) -> float:
    """How much of the current phase is done, between 0 and 1."""
    return _share(state.progress) if state.progress else 0.0


def share_of_run(state: RunState) -> float:
    """How much of the whole run is done, between 0 and 1: each stage counts as long as the plan expected it to take."""
    expected = expected_seconds(state)
    if not all(expected.get(stage.name) for stage in state.stages):
        expected = dict.fromkeys((stage.name for stage in state.stages), 1.0)
    done = sum(expected[stage.name] * share_of_stage(state, stage) for stage in state.stages)
    return done / sum(expected[stage.name] for stage in state.stages) if state.stages else 0.0


def share_of_stage(state: RunState, stage: StageState) -> float:
    """How much of a stage is done, between 0 and 1: by its phases, or by the plan's time where they differ each time.

    It is kept while nobody works on it; 0 where neither tells.
    """
    if stage.state == "finished":
        return 1.0
    phases, reached = PHASES.get(stage.name), stage.reached
    if phases is None:
        expected = expected_seconds(state).get(stage.name)
        return min(stage.seconds / expected, ALMOST) if expected else 0.0
    if reached is None:
        return 0.0
    before = phases.index(reached.phase) + _share(reached) if reached.phase in phases else len(phases)
    return min(before / len(phases), ALMOST)


def _share(progress: Progress) -> float:
    return min(progress.done / progress.total, 1.0) if progress.total else 0.0


def time_left(state: RunState) -> str:
    """How long a run still takes, for a column: `12 min`, or `> 2 min` where only the current phase's is known.

    Empty for a run that nobody works at.
    """
    if state.state != "running":
        return ""
    if state.eta_seconds is None:
        return UNKNOWN
    return f"{'' if state.eta_whole_run else '> '}{in_words(state.eta_seconds)}"


def left_in_words(state: RunState) -> str:
    """How long a run that is worked at still takes, and how far that reaches; empty for others."""
    if state.state != "running":
        return ""
    if state.eta_seconds is None:
        return "time left unknown"
    return f"{in_words(state.eta_seconds)} left {'in all' if state.eta_whole_run else 'of this phase'}"


def measured(state: RunState) -> list[tuple[str, str]]:
    """What was measured last, by when that was: `At step 36`, `Before training`; the newest first, the losses first."""
    best, newest = (state.measured_at.get(name) for name in ("best_validation_loss", "validation_loss"))
    by_step: dict[int, list[str]] = {}
    for name, show in _FIGURES:
        if name in state.metrics and not (name == "best_validation_loss" and best == newest):
            by_step.setdefault(state.measured_at.get(name, state.step or 0), []).append(show(state.metrics[name]))
    return [
        (f"At step {step:,}" if step else "Before training", " · ".join(figures))
        for step, figures in sorted(by_step.items(), reverse=True)
    ]
