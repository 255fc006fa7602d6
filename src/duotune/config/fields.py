"""How a field is declared: default, help, label, unit and the steps that a slider may take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_MEANT_FOR_S3 = re.compile(r"s3:", re.IGNORECASE)
_ON_S3 = re.compile(r"s3://[^/\s]")


class Section(BaseModel):
    """A table of a configuration file: immutable, exact types, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def setting(
    default: Any = ...,
    *,
    help: str,
    label: str = "",
    unit: str = "",
    steps: Sequence[float | int | str] = (),
    **constraints: Any,
) -> Any:
    """Declare one field of a configuration.

    Args:
        default: The value when the key is absent; `...` makes the key required.
        help: One line that says what the field does and what it trades.
        label: Name shown beside a form field; the key's name when empty.
        unit: Unit of the value, for people.
        steps: Values a slider stops at, ascending.
        **constraints: Passed to `pydantic.Field` (`ge`, `le`, `gt`, `min_length`, `pattern`, ...).
    """
    face: dict[str, Any] = {"label": label, "unit": unit, "steps": list(steps)}
    return Field(default, description=help, json_schema_extra={k: v for k, v in face.items() if v}, **constraints)


def is_mistyped(location: str) -> bool:
    """Whether a location was meant to be on S3, and is not: taken for a folder, it would be one named `s3:`."""
    return _MEANT_FOR_S3.match(location) is not None and _ON_S3.match(location) is None


def checked_location(location: str) -> str:
    """The location, unless it was mistyped; for validators.

    Raises:
        ValueError: It begins like an address of S3, and is none.
    """
    if is_mistyped(location):
        raise ValueError("is no address on S3, which is written s3://BUCKET/PREFIX")
    return location
