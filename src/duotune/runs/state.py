"""What a run's state is: never stored, folded from the events of its journal."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from duotune.runs.events import MergeOrder, RunKind

RunStatus = Literal["queued", "running", "finished", "failed", "stopped", "lost"]
StageStatus = Literal["pending", "running", "finished", "interrupted"]

STAGES: dict[RunKind, tuple[str, ...]] = {
    "train": ("prepare", "train", "evaluate", "publish"),
    "evaluate": ("evaluate",),
    "merge": ("merge",),
}
PHASES = {"train": ("train",), "evaluate": ("base", "adapter"), "merge": ("check", "fold", "prove")}
"""The phases of the stages that have the same each time, in their order; those of `prepare` depend on the projects."""


class Part(BaseModel):
    """Base of all parts of a state: immutable, not-a-number shown as null."""

    model_config = ConfigDict(frozen=True)


class Progress(Part):
    """How far the current phase of the current stage is."""

    done: int
    total: int
    unit: str
    phase: str


class StageState(Part):
    """One stage.

    Attributes:
        seconds: Time worked on it, in all attempts.
        started_at: Seconds since 1970 at which it first began.
        finished_at: Seconds since 1970 at which it ended.
        reached: How far it is, or was when it was last worked on, of which a new attempt takes back what was not kept;
            None before its first progress, and for stages whose phases are not the same each time.
    """

    name: str
    state: StageStatus
    seconds: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    reached: Progress | None = None


class ErrorState(Part):
    """Why a run ended without its result."""

    message: str
    hint: str = ""
    exit_code: int = 1


class Checkpoint(Part):
    """The newest complete checkpoint."""

    step: int
    path: str


class Waiting(Part):
    """What a queued run waits for."""

    device: str
    holder: str


class RunState(Part):
    """A run as `duotune status` shows it; times are seconds since 1970.

    Attributes:
        run: Its id.
        order: What a run that merges was asked for.
        stage: The current stage, or the one in which the run ended.
        stages: All stages of the run, in order.
        eta_seconds: Time left, None when unknown.
        eta_whole_run: Whether `eta_seconds` reaches to the end of the run or only of the current phase.
        step: The newest optimizer step that was measured.
        metrics: Latest value of each metric, and `best_validation_loss`.
        measured_at: The optimizer step that each of them was measured at; 0 is before training.
        dataset: Local path of the prepared dataset.
        funnel: What became of the projects' files: `duotune.runs.funnel.Funnel` as JSON.
        adapter: Local path of the trained adapter's directory.
        evaluation: Verdict and figures.
        published: What was published: `name`, `version`, `state`, `location`.
        attempts: How many workers have taken the run up.
        pid: Process id of the newest worker.
        decisions: What was decided once, by name.
        results: What each finished stage left behind.
        updated_at: Time of the newest event.
    """

    run: str = ""
    name: str = ""
    kind: RunKind = "train"
    order: MergeOrder | None = None
    state: RunStatus = "queued"
    directory: str = ""
    stage: str | None = None
    stages: list[StageState] = Field(default_factory=list)
    progress: Progress | None = None
    eta_seconds: float | None = None
    eta_whole_run: bool = False
    step: int | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    measured_at: dict[str, int] = Field(default_factory=dict)
    dataset: str | None = None
    funnel: JsonValue = None
    adapter: str | None = None
    evaluation: JsonValue = None
    published: JsonValue = None
    error: ErrorState | None = None
    waiting_for: Waiting | None = None
    checkpoint: Checkpoint | None = None
    warnings: list[str] = Field(default_factory=list)
    decisions: dict[str, JsonValue] = Field(default_factory=dict)
    results: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    attempts: int = 0
    pid: int | None = None
    until: str | None = None
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    updated_at: float | None = None

    @property
    def ended(self) -> bool:
        """Whether no worker will go on with it unless somebody resumes it."""
        return self.state not in ("queued", "running")


def stages_of(kind: RunKind, until: str | None) -> tuple[str, ...]:
    """The stages of a run of that kind, up to and including `until`."""
    stages = STAGES[kind]
    return stages[: stages.index(until) + 1] if until in stages else stages
