"""duotune.json of a merged model: from which base model and adapter it was made, and the proof that it is both."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from duotune.adapters.agreement import TOLERANCE_NATS
from duotune.adapters.manifest import AdapterManifest, FileRef, Record
from duotune.errors import CheckFailed, UsageError, printable
from duotune.models.shape import ModelShape

MERGED = "duotune.json"
SPEED = "merged_bytes_per_second"
"""Under this name it is remembered how fast this host merges a base model."""


class MergedBase(Record):
    """The base model, without its place on the host that merged."""

    name: str
    fingerprint: str
    architecture: str


class Proof(Record):
    """How the merged model answered the adapter's contract; mean distances per token, in nats.

    Attributes:
        cases: Prompts.
        tokens: Tokens that were compared.
        distance: From the adapter's recorded answers.
        from_base: From the base model's recorded answers.
        separation: Of adapter and base model.
        tolerance: Largest distance that was allowed; None where the adapter was recorded over a quantized base model.
        device: Where it answered.
    """

    cases: int
    tokens: int
    distance: float
    from_base: float
    separation: float
    tolerance: float | None = TOLERANCE_NATS
    device: str = "cpu"


class MergedModel(Record):
    """The file.

    Attributes:
        adapter: The version, such as `payments.v3`.
        manifest_sha256: Digest of its manifest.
        base: The base model.
        run: The run that merged.
        created_at: ISO 8601 in UTC.
        duotune: Version of duotune that merged.
        folded: Layers whose weights differ from the base model's.
        proof: None where nothing is proven: the adapter has no contract, or one that tells nothing of a whole model.
        files: Every other file of the directory.
        left_out: What of the base model's directory did not come along.
    """

    format: int = 1
    adapter: str
    manifest_sha256: str
    base: MergedBase
    run: str
    created_at: str
    duotune: str
    folded: int
    proof: Proof | None
    files: dict[str, FileRef]
    left_out: list[str]


def read_merged(directory: Path) -> MergedModel | None:
    """What a directory says of its making; None where it is no merged model."""
    try:
        return MergedModel.model_validate_json((directory / MERGED).read_bytes())
    except (OSError, ValidationError):
        return None


def check_foldable(shape: ModelShape, name: str) -> None:
    """Refuse a base model whose stored weights are no plain numbers.

    Raises:
        UsageError: It is stored quantized.
    """
    if shape.quantization:
        raise UsageError(
            f"{printable(name)} is stored quantized ({printable(shape.quantization)}), so nothing can be folded into "
            "its weights.",
            "Serve the adapter beside it instead: `duotune serve plan`.",
        )


def other_base(manifest: AdapterManifest, directory: Path, found: str) -> CheckFailed:
    """The error for a base model that is not the one an adapter was trained over."""
    return CheckFailed(
        f"{printable(directory)} is not the base model that {manifest.model_name} was trained over: its fingerprint is "
        f"{found[:12]}, not {manifest.base.fingerprint[:12]}.",
        f"Put {printable(manifest.base.name)} at its place again as it was.",
    )
