"""Checks an adapter before it is served: vLLM loads wrong ones without a word, and one bad one stops its start."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from duotune.adapters.manifest import MANIFEST, damaged_files, read_manifest
from duotune.adapters.peft_config import WEIGHTS, largest_rank, rank_of, read_config, refused_by_vllm, targeted
from duotune.adapters.weights import FLOATS, StoredTensor, all_finite, all_zero, read_tensors
from duotune.errors import CheckFailed, DuotuneError, printable
from duotune.models.shape import ModelShape

T = TypeVar("T")

SHOWN = 3
_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What was checked.
        ok: Whether it holds.
        detail: One line for a person.
        warning: It holds, but a person should know of it.
    """

    name: str
    ok: bool
    detail: str
    warning: bool = False


def verify(
    adapter: Path,
    shape: ModelShape,
    max_rank: int | None = None,
    base_fingerprint: str | None = None,
    thorough: bool = True,
) -> list[Check]:
    """Check an adapter directory against the base model that it is for.

    Args:
        adapter: Directory with `adapter_config.json` and `adapter_model.safetensors`, and a manifest if published.
        shape: The base model's shape.
        max_rank: Largest rank that is going to be served; None does not limit it.
        base_fingerprint: The base model's fingerprint, compared with the manifest's; None leaves that out.
        thorough: Read every byte, for the files' hashes and the values; else headers, names and shapes only.

    Returns:
        One check per question; later questions are left out when an earlier one makes them meaningless.
    """
    checks: list[Check] = []
    if (adapter / MANIFEST).is_file():
        checks += [_attempt("files", lambda: _files(adapter))] if thorough else []
        if base_fingerprint is not None:
            checks += [_attempt("base model", lambda: _base(adapter, base_fingerprint))]
    config = _attempt_value(checks, "configuration", lambda: read_config(adapter))
    tensors = _attempt_value(checks, "weights", lambda: read_tensors(adapter / WEIGHTS))
    if config is not None:
        checks += [_attempt("servable", lambda: _servable(config)), _attempt("rank", lambda: _rank(config, max_rank))]
    if tensors is not None:
        checks.append(_attempt("precision", lambda: _precision(tensors)))
        if checks[-1].ok and thorough:
            checks += [_attempt("values", lambda: _values(adapter / WEIGHTS, tensors))]
            checks += [_trained(adapter / WEIGHTS, tensors)]
    if config is not None and tensors is not None and _passed(checks, "rank"):
        layers = shape.linear_layers()
        checks.append(_attempt("layers", lambda: _layers(config, tensors, layers)))
        checks.append(_attempt("shapes", lambda: _shapes(config, tensors, layers)))
    return checks


def raise_unless_good(name: str, checks: list[Check]) -> None:
    """Refuse an adapter that did not pass.

    Raises:
        CheckFailed: Naming everything that does not hold.
    """
    failed = [check for check in checks if not check.ok]
    if failed:
        listed = "\n".join(f"  {check.name}: {check.detail}" for check in failed)
        raise CheckFailed(
            f"The adapter {printable(name)} did not pass {len(failed)} of {len(checks)} checks:\n{listed}",
            "Train it again; an adapter that fails a check would answer wrongly or stop vLLM.",
        )


def _attempt(name: str, look: Callable[[], str]) -> Check:
    """Run one check: it returns what it saw, or raises with what is wrong."""
    try:
        return Check(name, True, look())
    except DuotuneError as error:
        return Check(name, False, error.message)
    except (ValueError, OSError, RecursionError, re.error) as error:
        return Check(name, False, printable(str(error)))


def _attempt_value(checks: list[Check], name: str, read: Callable[[], T]) -> T | None:
    value: list[T] = []

    def look() -> str:
        value.append(read())
        return "readable"

    checks.append(_attempt(name, look))
    return value[0] if value else None


def _passed(checks: list[Check], name: str) -> bool:
    return any(check.name == name and check.ok for check in checks)


def _files(adapter: Path) -> str:
    manifest = read_manifest(adapter)
    damaged = damaged_files(adapter, manifest)
    if damaged:
        raise ValueError(f"not as they were published: {_some(damaged)}")
    return f"{len(manifest.files)} files are as they were published"


def _base(adapter: Path, fingerprint: str) -> str:
    manifest = read_manifest(adapter)
    base, here = manifest.base, fingerprint[:12]
    if base.fingerprint != fingerprint:
        raise ValueError(f"trained for {base.name} ({base.fingerprint[:12]}), not for this one ({here})")
    return f"trained for this one, {base.name} ({here})"


def _servable(config: Mapping[str, Any]) -> str:
    refused = refused_by_vllm(config)
    if refused:
        raise ValueError(f"vLLM cannot serve {'; '.join(refused)}")
    return "nothing in it that vLLM refuses"


def _rank(config: Mapping[str, Any], max_rank: int | None) -> str:
    rank = largest_rank(config)
    if max_rank is not None and rank > max_rank:
        raise ValueError(f"rank {rank} is above the {max_rank} that is served")
    return f"rank {rank}"


def _precision(tensors: Mapping[str, StoredTensor]) -> str:
    types = sorted({tensor.dtype for tensor in tensors.values()})
    unknown = [dtype for dtype in types if dtype not in FLOATS]
    if unknown or not types:
        raise ValueError(f"stored as {_some(unknown)}" if unknown else "there are no tensors")
    return ", ".join(types)


def _values(file: Path, tensors: Mapping[str, StoredTensor]) -> str:
    bad = [name for name, tensor in tensors.items() if not all_finite(file, tensor)]
    if bad:
        raise ValueError(f"infinite or not a number in {_some(bad)}")
    return f"all values of {len(tensors)} tensors are finite"


def _trained(file: Path, tensors: Mapping[str, StoredTensor]) -> Check:
    outputs = [tensor for name, tensor in tensors.items() if name.endswith(".lora_B.weight")]
    if all(all_zero(file, tensor) for tensor in outputs):
        return Check("training", True, "nothing was learned: every lora_B is zero, as before training", warning=True)
    return Check("training", True, "differs from the base model")


def _layers(config: Mapping[str, Any], tensors: Collection[str], layers: Mapping[str, tuple[int, int]]) -> str:
    expected = targeted(config, layers)
    wanted = {f"base_model.model.{module}.lora_{side}.weight" for module in expected for side in "AB"}
    unexpected, absent = sorted(set(tensors) - wanted), sorted(wanted - set(tensors))
    if not expected:
        raise ValueError("its configuration names no layer of the base model")
    if unexpected:
        raise ValueError(f"the base model has no place for {_some(unexpected)}")
    if absent:
        raise ValueError(f"missing are {_some(absent)}")
    return f"{len(expected)} adapted layers, each with its pair, all in the base model"


def _shapes(
    config: Mapping[str, Any], tensors: Mapping[str, StoredTensor], layers: Mapping[str, tuple[int, int]]
) -> str:
    for name, tensor in tensors.items():
        match = _KEY.fullmatch(name)
        if match is None or match["module"] not in layers:
            continue  # named by the check of layers
        out_features, in_features = layers[match["module"]]
        rank = rank_of(config, match["module"])
        expected = (rank, in_features) if match["side"] == "A" else (out_features, rank)
        if tensor.shape != expected:
            raise ValueError(f"{name} has shape {list(tensor.shape)} where the base model needs {list(expected)}")
    return "all fit the base model"


def _some(names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
