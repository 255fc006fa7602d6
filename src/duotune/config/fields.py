"""How a field is declared: default, help, label, unit and the steps that a slider may take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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
