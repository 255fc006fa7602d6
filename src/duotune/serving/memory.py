"""What the vLLM that runs holds, of the host's memory and of the GPUs'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duotune.hardware.gpu import gpus
from duotune.hardware.processes import family, resident_bytes


@dataclass(frozen=True)
class Held:
    """Memory in bytes.

    Attributes:
        resident: Of the host's.
        gpus: Of each GPU's, by its index; only those of which it holds any.
    """

    resident: int
    gpus: Mapping[int, int]


def held_by(pid: int | None) -> Held | None:
    """What a service holds with all the processes that it has started; None when it does not run.

    Args:
        pid: The service's first process.
    """
    processes = family(pid) if pid is not None else []
    if not processes:
        return None
    own = {process.pid for process in processes}
    on_gpus = {gpu.index: sum(amount for holder, amount in gpu.processes if holder in own) for gpu in gpus()}
    return Held(resident_bytes(processes), {index: amount for index, amount in on_gpus.items() if amount})
