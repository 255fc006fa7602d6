"""Proves that a merged model answers as its adapter did, where there is memory for all of it and nobody needs that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duotune.adapters.agreement import TOLERANCE_NATS, agreement, comparable
from duotune.adapters.contract import Contract
from duotune.adapters.merged import Proof
from duotune.config.load import load_host_config
from duotune.errors import CheckFailed, HostError, printable
from duotune.evaluation.proof import answers, gpu_free_bytes
from duotune.hardware.gpu import visible_gpus
from duotune.hardware.host import read_host
from duotune.models.shape import ModelShape
from duotune.runs.lease import GpuLease, leased_device
from duotune.runs.pause import serves
from duotune.runs.wording import in_gib
from duotune.worker.stages import RunInProgress

ROOM = 1.2
"""Of memory, so many times the weights must be free: prompts and what comes between layers need some too."""


def prove(run: RunInProgress, model: Path, contract: Contract | None, name: str, shape: ModelShape) -> Proof | None:
    """Ask the merged model what the adapter was asked.

    Args:
        run: Told of answers, and of what is not proven.
        model: The merged model.
        contract: What was recorded of the adapter, if anything was.
        name: The adapter's version.
        shape: The base model's.

    Returns:
        What came of it; None where nothing is proven.

    Raises:
        Stopped: A stop was asked for.
        CheckFailed: It answers otherwise.
        HostError: There is no memory for it.
    """
    cases = comparable(contract, None)
    if contract is None or not cases:
        run.report.warning(
            f"{name} has no recorded answers, since it was never evaluated: that the merged model answers as it does "
            "is not proven."
        )
        return None
    same = contract.precision == "bfloat16"
    if not same:
        run.report.warning(
            f"{name} was trained over a quantized base model ({printable(contract.precision)}): folded into the whole "
            "one it must be nearer to the adapter than to the base model, and cannot be equal to it."
        )
    with device_for(run, shape.weight_bytes) as device:
        said = answers(model, cases, device, run.report)
    found = agreement(cases, said)
    if problem := found.problem(same):
        raise CheckFailed(
            f"The merged model {problem}, so it was deleted.",
            f"`duotune adapters verify {name}` checks the adapter; serve it beside its base model instead.",
        )
    if not found.tells(same):
        run.report.warning(
            f"{name} answers almost as its base model does ({found.separation:.3f} nats per token), too near to tell "
            "them apart in another precision: that the merged model answers as it does is not proven."
        )
        return None
    return Proof(
        cases=len(cases),
        tokens=found.tokens,
        distance=found.distance,
        from_base=found.from_base,
        separation=found.separation,
        tolerance=TOLERANCE_NATS if same else None,
        device=device,
    )


def check_memory(weight_bytes: int) -> None:
    """Refuse a proof that would end for want of memory, and with it the process.

    Args:
        weight_bytes: Of the model, all of which is loaded.

    Raises:
        HostError: Neither the host nor a GPU that is free has the room.
    """
    available = read_host().memory_available_bytes
    if available < weight_bytes * ROOM and not _gpu_has_room(weight_bytes):
        raise HostError(
            f"The merged model cannot be proven: all of it is loaded for that, which takes "
            f"{in_gib(weight_bytes * ROOM)} of memory, and {in_gib(available)} are free.",
            "Free some, then `duotune resume` goes on; or merge on a host with more.",
        )


@contextmanager
def device_for(run: RunInProgress, weight_bytes: int) -> Iterator[str]:
    """Where to load the model: the first GPU while nothing serves or trains there, else the CPU."""
    lease = GpuLease.try_acquire(leased_device(), run.directory.id) if _gpu_has_room(weight_bytes) else None
    if lease is not None:
        with lease:
            if gpu_free_bytes() > weight_bytes * ROOM:  # CUDA's own answer, of a slice where there is one
                yield "cuda:0"
                return
    check_memory(weight_bytes)
    yield "cpu"


def _gpu_has_room(weight_bytes: int) -> bool:
    gpus = visible_gpus()
    return bool(gpus) and gpus[0].memory_free_bytes > weight_bytes * ROOM and not serves(load_host_config().serving)
