"""What a dataset was made of, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from duotune.catalog.splits import Split
from duotune.config.run import PromptLossWeight, Recipes
from duotune.data.entry_lines import read_entry_lines, write_entry_lines
from duotune.data.reasons import Reason
from duotune.data.recipes import Recipe
from duotune.data.redaction.report import FindingCounts
from duotune.data.weights import LossWeights
from duotune.errors import CheckFailed, printable

MANIFEST_FILE = "manifest.json"


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(_Stored):
    """What of the configuration decided the dataset."""

    sequence_length: int
    validation_fraction: float
    test_fraction: float
    held_out_after: str = ""
    max_file_bytes: int
    secrets: Literal["redact", "drop"]
    personal_data: Literal["redact", "keep"]
    seed: int
    recipes: Recipes
    prompt_loss_weight: PromptLossWeight
    answer_end_weight: float
    fim_items: int
    signature_items: int
    max_new_tokens: int
    items_seed: int


class ProjectEntry(_Stored):
    """A project of the dataset: its name, its commit (None for a folder) and the key of its part."""

    name: str
    commit: str | None
    part: str


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that became examples or items.

    Attributes:
        project: Its project.
        path: Its path, printable.
        blob_id: Git's id of its content.
        cluster: Its near-duplicate cluster.
        split: Where the cluster went.
        language: linguist's name.
        size_bytes: Its size.
        tokens: Tokens of its documents.
        detail: What is worth knowing of it, such as the encoding that it was recoded from.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    project: str
    path: str
    blob_id: str
    cluster: str
    split: Split
    language: str
    size_bytes: int
    tokens: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RejectedEntry:
    """A file that did not.

    Attributes:
        project: Its project.
        path: Its path, printable; it ends in `/` where a whole directory was left out.
        reason: Why.
        size_bytes: Its size; 0 where it is not known.
        detail: Which rule said so; printable, and nothing of the content.
        language: linguist's name, where it is known.
        read: Whether its content was looked at; else its name or its size ruled it out.
        repeats: `project:path` of the kept file that it repeats, for duplicates.
        cluster: Its near-duplicate cluster, for duplicates.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    project: str
    path: str
    reason: Reason
    size_bytes: int = 0
    detail: str = ""
    language: str | None = None
    read: bool = False
    repeats: str | None = None
    cluster: str | None = None


class Leakage(_Stored):
    """Near-duplicates across the split, over all pairs of training, validation and test files.

    Attributes:
        found: Files that repeated one held out further after clusters were split; they were dropped.
        left: Such files among those kept, measured in another way, from their texts; anything but 0 is a fault.
        contaminated_items: Held-out places passed over because their lines occur in a training file.
    """

    found: int
    left: int
    contaminated_items: int


class Counts(_Stored):
    """Size of one split of the packed data.

    Attributes:
        files: Files.
        documents: Documents.
        rows: Packed rows.
        tokens: Tokens without padding.
        targets: Tokens that the loss looks at.
        padding: Share of padding among all tokens of the rows.
        recipes: Tokens by recipe.
    """

    files: int
    documents: int
    rows: int
    tokens: int
    targets: int
    padding: float
    recipes: dict[Recipe, int] = {}


class Manifest(_Stored):
    """`manifest.json` of a dataset.

    Attributes:
        version: Of this format.
        fingerprint: The dataset's name.
        tokenizer: Fingerprint of the tokenizer.
        settings: What of the configuration decided it.
        projects: In the configured order.
        files: Kept files, by project and path.
        rejected: The others, by project and path.
        clusters: Split of each cluster.
        splits: Sizes by split; `test` has no rows.
        items: Held-out items by set.
        loss_weights: Weight of each kind of target.
        leakage: What crossed the split.
        findings: Secrets and personal data found; `findings.jsonl` lists them.
    """

    version: Literal[1] = 1
    fingerprint: str
    tokenizer: str
    settings: Settings
    projects: list[ProjectEntry]
    files: list[KeptFile]
    rejected: list[RejectedEntry]
    clusters: dict[str, Split]
    splits: dict[Split, Counts]
    items: dict[str, int]
    loss_weights: LossWeights
    leakage: Leakage
    findings: FindingCounts


_FILES = TypeAdapter(KeptFile)
_REJECTED = TypeAdapter(RejectedEntry)


def write_manifest(dataset: Path, manifest: Manifest) -> None:
    """Write the manifest of a dataset to its directory."""
    head = manifest.model_dump_json(exclude={"files", "rejected"})
    lists = {"files": map(_FILES.dump_json, manifest.files), "rejected": map(_REJECTED.dump_json, manifest.rejected)}
    write_entry_lines(dataset / MANIFEST_FILE, head, lists)


def read_manifest(dataset: Path) -> Manifest:
    """Read the manifest of a dataset's directory.

    Raises:
        CheckFailed: It is missing or damaged.
    """
    try:
        fields = read_entry_lines(dataset / MANIFEST_FILE, {"files": _FILES, "rejected": _REJECTED})
        return Manifest.model_validate(fields)
    except (OSError, ValueError) as error:
        raise CheckFailed(
            f"The dataset in {printable(dataset)} has no readable manifest.json.",
            "Remove that directory and prepare it again.",
        ) from error
