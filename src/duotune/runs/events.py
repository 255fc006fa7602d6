"""The events of a run: one line of `events.jsonl` each, told apart by `type`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

FORMAT_VERSION = 1

RunKind = Literal["train", "evaluate", "merge"]


class BaseEvent(BaseModel):
    """What every event carries; the journal fills `seq` and `ts` in as it writes.

    Attributes:
        v: Format version of the line.
        seq: Number of the event in its journal, from 1.
        ts: Seconds since 1970 at which it was written.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")
    durable: ClassVar[bool] = False

    v: int = FORMAT_VERSION
    seq: int = 0
    ts: float = 0.0


class DurableEvent(BaseEvent):
    """An event that is on disk before the run goes on."""

    durable: ClassVar[bool] = True


class MergeOrder(BaseModel):
    """What a run of kind `merge` was asked for.

    Attributes:
        adapter: The version, such as `payments.v3`.
        manifest_sha256: Digest of its manifest.
        directory: Where the merged model goes, absolute.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    adapter: str
    manifest_sha256: str
    directory: str


class RunCreated(DurableEvent):
    """The run directory exists; no worker has been started yet.

    Attributes:
        until: Last stage to run; None runs all.
        order: What a run that merges was asked for; None for other kinds, whose configuration says all.
    """

    type: Literal["run_created"] = "run_created"
    run: str
    name: str
    kind: RunKind = "train"
    until: str | None = None
    order: MergeOrder | None = None


class RunResumed(DurableEvent):
    """Somebody asked for the run to go on; a worker is about to start."""

    type: Literal["run_resumed"] = "run_resumed"


class RunStarted(DurableEvent):
    """A worker process took the run up.

    Attributes:
        pid: Process id of the worker.
        process_start: Its start in clock ticks after boot: a recycled pid has another.
        attempt: 1 for the first worker, one more for each after it.
        host: Name of the machine.
    """

    type: Literal["run_started"] = "run_started"
    pid: int
    process_start: int
    attempt: int
    host: str = ""


class RunQueued(BaseEvent):
    """The worker waits for a device that another run holds."""

    type: Literal["run_queued"] = "run_queued"
    device: str
    holder: str = ""


class StageStarted(DurableEvent):
    """A stage of the run began, or began again after a resume."""

    type: Literal["stage_started"] = "stage_started"
    stage: str


class ProgressMade(BaseEvent):
    """How far the current phase is."""

    type: Literal["progress"] = "progress"
    phase: str
    done: int
    total: int
    unit: str


class MetricsMeasured(BaseEvent):
    """Values measured at an optimizer step."""

    type: Literal["metrics"] = "metrics"
    step: int
    values: dict[str, float]


class CheckpointSaved(DurableEvent):
    """A checkpoint is complete on disk."""

    type: Literal["checkpoint_saved"] = "checkpoint_saved"
    step: int
    path: str


class DecisionTaken(DurableEvent):
    """Something that depends on the machine, decided once and kept by every later attempt."""

    type: Literal["decision"] = "decision"
    name: str
    value: JsonValue


class WarningRaised(BaseEvent):
    """Something a person should know, which does not stop the run."""

    type: Literal["warning"] = "warning"
    message: str


class StageFinished(DurableEvent):
    """A stage is complete.

    Attributes:
        result: What the stage leaves behind. The keys `dataset` (path), `adapter` (path), `evaluation` (object) and
            `published` (object with `name`, `version`, `state`, `location`) are lifted into the run's state.
    """

    type: Literal["stage_finished"] = "stage_finished"
    stage: str
    result: dict[str, JsonValue] = Field(default_factory=dict)


class RunFinished(DurableEvent):
    """The run did all that was asked."""

    type: Literal["run_finished"] = "run_finished"


class RunFailedEvent(DurableEvent):
    """The run ended without its result."""

    type: Literal["run_failed"] = "run_failed"
    message: str
    hint: str = ""
    exit_code: int = 1


class RunStopped(DurableEvent):
    """The run was asked to stop, and did so at a safe point."""

    type: Literal["run_stopped"] = "run_stopped"


Event = Annotated[
    RunCreated
    | RunResumed
    | RunStarted
    | RunQueued
    | StageStarted
    | ProgressMade
    | MetricsMeasured
    | CheckpointSaved
    | DecisionTaken
    | WarningRaised
    | StageFinished
    | RunFinished
    | RunFailedEvent
    | RunStopped,
    Field(discriminator="type"),
]

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(line: bytes) -> Event | None:
    """The event of one journal line; None for a damaged line and for a type that only newer versions know."""
    try:
        return _EVENT.validate_json(line)
    except ValidationError:
        return None
