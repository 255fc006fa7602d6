"""Held-out items: prompts with their gold answers, as JSON lines on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from duotune.disk import write_whole
from duotune.errors import CheckFailed, printable


class HeldOutItem(BaseModel):
    """One prompt with its gold answer.

    Attributes:
        id: Unique within a dataset.
        set: The evaluation set it belongs to.
        kind: What the gold answer is: the rest of a line, whole lines, a syntax node, or a function body.
        project: Name of the project.
        path: Path of the file within the project.
        language: Language of the file.
        cluster: Near-duplicate cluster of the file.
        prefix: Source before the hole.
        suffix: Source after the hole.
        gold: What the author wrote there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    set: Literal["fim", "signature"]
    kind: Literal["rest-of-line", "lines", "node", "body"]
    project: str
    path: str
    language: str
    cluster: str
    prefix: str
    suffix: str
    gold: str


def read_items(file: Path) -> list[HeldOutItem]:
    """Read held-out items, one JSON document per line.

    Raises:
        CheckFailed: The file is missing, unreadable or damaged.
    """
    try:
        # Only \n ends a line here: source text may hold U+2028 and its kin, which str.splitlines would break at.
        lines = file.read_bytes().split(b"\n")
        return [HeldOutItem.model_validate_json(line) for line in lines if line]
    except OSError as error:
        raise CheckFailed(
            f"The held-out items {printable(file)} cannot be read: {error.strerror}.", "Prepare the dataset again."
        ) from error
    except ValidationError as error:
        raise CheckFailed(
            f"The held-out items {printable(file)} are damaged ({error.error_count()} problems in one line).",
            "Prepare the dataset again.",
        ) from error


def write_items(file: Path, items: Iterable[HeldOutItem]) -> None:
    """Write held-out items, one JSON document per line; the file appears complete or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, "".join(item.model_dump_json() + "\n" for item in items))
