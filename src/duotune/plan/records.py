"""The records of a plan: immutable, and JSON for `--json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from duotune.config.run import RunConfig
from duotune.errors import ExitCode, HostError, UsageError
from duotune.hardware.estimate import Basis
from duotune.runs.state import stages_of


class Record(BaseModel):
    """A part of a plan: immutable, and JSON for `--json`."""

    model_config = ConfigDict(frozen=True)


class Check(Record):
    """One thing that was looked at before the start.

    Attributes:
        status: `refused` keeps the run from starting; `warning` does not.
        exit_code: Exit code of a run that is refused for this.
    """

    name: str
    status: Literal["ok", "warning", "refused"]
    detail: str
    hint: str = ""
    exit_code: int = 0


class ProjectPlan(Record):
    """What a project brings.

    Attributes:
        languages: Language to (files, bytes) of what is kept.
        found: The same of all files that there are, kept or not.
        doubtful: Files and bytes that are kept but may be other people's code, by the glob that would exclude them.
        rejected: Reason code to number of files.
        tokens: Estimated tokens of what is kept.
        late: Kept files first committed after `data.held_out_after`.
        unmatched: Globs that match no file, by setting.
    """

    name: str
    source: str
    commit: str | None
    files: int
    bytes: int
    languages: dict[str, tuple[int, int]]
    found: dict[str, tuple[int, int]]
    doubtful: dict[str, tuple[int, int]]
    rejected: dict[str, int]
    tokens: int
    late: int = 0
    unmatched: dict[str, list[str]] = {}


class ModelPlan(Record):
    """The base model as found."""

    path: str
    fingerprint: str
    architecture: str
    parameters: int
    fim: bool


class Duration(Record):
    """Expected seconds, and whether they are a guess from data sheets or follow a measured speed."""

    seconds: float
    basis: Basis


class Plan(Record):
    """A run, resolved and checked; `start` acts on it.

    Attributes:
        device: GPU name, or `cpu`.
        durations: Expected time of each stage.
        memory_bytes: Estimated peak memory of training.
        memory_free_bytes: Free memory of the device.
        disk_bytes: Space that the run will take.
    """

    config: RunConfig
    device: str
    projects: list[ProjectPlan]
    model: ModelPlan | None
    tokens: int
    steps: int
    durations: dict[str, Duration]
    memory_bytes: int
    memory_free_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    checks: list[Check]

    def only_until(self, stage: str | None) -> Plan:
        """The plan of a run that ends with that stage; the same plan for None."""
        stages = stages_of("train", stage)
        return self.model_copy(update={"durations": {s: d for s, d in self.durations.items() if s in stages}})

    @property
    def refusals(self) -> list[Check]:
        """The checks that keep the run from starting."""
        return [check for check in self.checks if check.status == "refused"]

    def raise_if_refused(self) -> None:
        """Raise the first refusal, with the others listed.

        Raises:
            UsageError: Something in the configuration cannot work.
            HostError: The machine lacks something.
        """
        if not self.refusals:
            return
        first, *others = self.refusals
        message = "\n".join([first.detail, *(f"Also: {check.detail}" for check in others)])
        environment = first.exit_code == ExitCode.ENVIRONMENT
        raise (HostError if environment else UsageError)(message, first.hint)
