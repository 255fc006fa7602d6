"""What is looked at in each adapter before vLLM is told of it, and read whole only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from duotune.adapters.contract import read_contract
from duotune.adapters.verify import Check, verify
from duotune.errors import CheckFailed
from duotune.models.shape import ModelShape
from duotune.serving.vllm_config import ServedAdapter

Stamp = tuple[tuple[str, int, int, int, int], ...]
"""Name, inode, size, and times of change of content and of everything else of each file of a directory."""


def stamp(directory: Path) -> Stamp:
    """What changes with any file of an adapter: whoever writes to one cannot keep its time of change."""
    found = ((file.name, file.stat()) for file in sorted(directory.iterdir()))
    return tuple((name, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for name, one in found)


def check_adapters(
    adapters: Sequence[ServedAdapter], shape: ModelShape, base: str, served_name: str, known: frozenset[str]
) -> Iterator[Check]:
    """One line per adapter: whether it is whole, of this base model, and of a kind that vLLM serves rightly.

    Args:
        adapters: Which.
        shape: The base model's shape.
        base: Its fingerprint.
        served_name: Name under which the base model answers.
        known: Names whose hashes and values were checked since their files last changed, and are not read again.
    """
    for adapter in adapters:
        name = adapter.model_name
        if name == served_name:
            yield Check(name, False, "has the name under which the base model answers; change serving.served_name")
            continue
        found = verify(adapter.path, shape, base_fingerprint=base, thorough=name not in known)
        failed = [check for check in found if not check.ok]
        if failed:
            yield Check(name, False, "; ".join(f"{check.name}: {check.detail}" for check in failed))
        else:
            yield _contract(adapter, len(found), f"rank {adapter.rank}")


def _contract(adapter: ServedAdapter, checks: int, words: str) -> Check:
    try:
        contract = read_contract(adapter.path)
    except CheckFailed as error:
        return Check(adapter.model_name, False, error.message)
    if contract is None or not contract.cases:
        said = f"{words}; it was published without an evaluation, so that only its answering can be proven"
        return Check(adapter.model_name, True, said, warning=True)
    return Check(
        adapter.model_name, True, f"{words}; {checks} checks hold; {len(contract.cases)} answers to be reproduced"
    )
