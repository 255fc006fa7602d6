"""What is looked at in each adapter before vLLM is told of it, and read whole only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from duotune.adapters.agreement import comparable
from duotune.adapters.contract import read_contract
from duotune.adapters.verify import Check, verify
from duotune.errors import CheckFailed
from duotune.models.shape import ModelShape
from duotune.serving.probe import incomparable
from duotune.serving.vllm_config import ServedAdapter

Stamp = tuple[tuple[str, int, int, int, int], ...]
"""Name, inode, size, and times of change of content and of everything else of each file of a directory."""


def stamp(directory: Path) -> Stamp:
    """What changes with any file of an adapter: whoever writes to one cannot keep its time of change."""
    found = ((file.name, file.stat()) for file in sorted(directory.iterdir()))
    return tuple((name, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for name, one in found)


def check_adapters(
    adapters: Sequence[ServedAdapter],
    shape: ModelShape,
    base: str,
    served_name: str,
    known: frozenset[str],
    longest: int | None = None,
) -> Iterator[Check]:
    """One line per adapter: whether it is whole, of this base model, and of a kind that vLLM serves rightly.

    Args:
        adapters: Which.
        shape: The base model's shape.
        base: Its fingerprint.
        served_name: Name under which the base model answers.
        known: Names whose hashes and values were checked since their files last changed, and are not read again.
        longest: Longest prompt and answer that vLLM will take; None for the model's own limit.
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
            yield _contract(adapter, len(found), f"rank {adapter.rank}", longest or shape.max_position_embeddings)


def _contract(adapter: ServedAdapter, checks: int, words: str, longest: int) -> Check:
    try:
        contract = read_contract(adapter.path)
    except CheckFailed as error:
        return Check(adapter.model_name, False, error.message)
    if contract is None or not contract.cases:
        said = f"{words}; it was published without an evaluation, so that only its answering can be proven"
        return Check(adapter.model_name, True, said, warning=True)
    why = incomparable(contract, longest)
    if why:
        return Check(adapter.model_name, False, why)
    fitting = len(comparable(contract, longest))
    said = f"{words}; {checks} checks hold; {fitting} answers to be reproduced"
    too_long = len(comparable(contract, None)) - fitting
    if too_long:
        said += f" ({too_long} more are longer than the {longest} tokens that vLLM takes, serving.max_model_len)"
    return Check(adapter.model_name, True, said)
