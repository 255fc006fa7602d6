"""The records of a planned deployment: one generation of what vLLM is to serve, before it is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from duotune.adapters.verify import Check
from duotune.serving.adapter_checks import Stamp
from duotune.serving.vllm_config import LoraRoom, ServedAdapter

EDITS = "edits"
"""Name of the check that finds files which were edited by hand."""
Tell = Callable[[str, str], None]
"""Told a phase and a detail, often."""
ChangeKind = Literal["none", "hot", "restart", "start"]


@dataclass(frozen=True)
class Change:
    """What it takes to get from what runs to what is planned.

    Attributes:
        kind: `none`: it runs already; `hot`: adapters come and go while vLLM runs; `restart`; `start`: nothing runs.
        why: One sentence for a person.
        added: Model names that come.
        removed: Model names that go.
        diff: Unified diff of YAML and unit; empty without a difference.
    """

    kind: ChangeKind
    why: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    diff: str = ""


@dataclass(frozen=True)
class ServingPlan:
    """A generation before it is carried out.

    Attributes:
        base_path: Directory of the base model.
        base: Its fingerprint.
        versions: Adapter names and version numbers of what vLLM will offer besides it.
        adapters: The same as vLLM will know them, in the same order.
        left_out: Published versions that are not among them, with the reason.
        room: What vLLM sets aside for adapters; None without any.
        slot_bytes: GPU memory of that.
        cache_bytes: Host memory of that, at most.
        yaml: vLLM's configuration.
        unit: Text of the systemd unit.
        change: What it takes to get there.
        checks: What was looked at; one that does not hold keeps the plan from being carried out.
        passed: Of each adapter that was read whole and passed, what its files were like before.
    """

    base_path: Path
    base: str
    versions: tuple[tuple[str, int], ...]
    adapters: tuple[ServedAdapter, ...]
    left_out: tuple[str, ...]
    room: LoraRoom | None
    slot_bytes: int
    cache_bytes: int
    yaml: str
    unit: str
    change: Change
    checks: tuple[Check, ...]
    passed: Mapping[str, Stamp]

    @property
    def refused(self) -> bool:
        """Whether a check does not hold."""
        return any(not check.ok for check in self.checks)

    def refusals(self, overwrite: bool = False) -> list[Check]:
        """Those of its checks that keep it from being carried out."""
        return refusals(self.checks, overwrite)


def refusals(checks: Sequence[Check], overwrite: bool = False) -> list[Check]:
    """The checks that do not hold, but hand edits when they may be overwritten."""
    return [check for check in checks if not check.ok and not (overwrite and check.name == EDITS)]
