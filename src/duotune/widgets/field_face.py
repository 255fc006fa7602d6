"""What a form shows of a field, made from the one declaration that TOML files and `duotune config` use too."""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from duotune.config.run import RunConfig

Kind = Literal["number", "whole", "text", "list", "words", "choice", "switch"]
"""`words` is a choice of one word, or a list of one's own."""
SWITCH = {"on": True, "off": False}


@dataclass(frozen=True)
class Face:
    """A field's face.

    Attributes:
        key: Dotted key, as in a TOML file.
        label: Name beside the field.
        help: One line that says what it does.
        unit: Of the value; often empty.
        default: What stands when nothing is written; None for a required field.
        required: Whether something must be written.
        kind: What its value is.
        options: The words of a choice.
        steps: What a slider stops at; none without a slider.
        bounds: The least and the greatest value in words; empty where there are none.
    """

    key: str
    label: str
    help: str
    unit: str
    default: Any
    required: bool
    kind: Kind
    options: tuple[str, ...]
    steps: tuple[float, ...]
    bounds: str

    def read(self, text: str) -> Any:
        """The value that a text stands for; the text itself where it stands for none, which validation then says."""
        text = text.strip()
        if self.kind == "switch":
            return SWITCH.get(text, text)
        if self.kind == "list" or (self.kind == "words" and text not in self.options):
            return [word.strip() for word in text.split(",") if word.strip()]
        try:
            if self.kind == "whole":
                return int(text)
            if self.kind == "number":
                return float(text)
        except ValueError:
            return text
        return text

    def write(self, value: Any) -> str:
        """The text of a value."""
        if value is None:
            return ""
        if self.kind == "switch" and isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, float):
            brief = f"{value:.10g}"
            return brief if float(brief) == value else repr(value)
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    @property
    def full_help(self) -> str:
        """All that there is to say of the field, for F1."""
        facts = [f"In a TOML file: {self.key}", self.bounds, f"in {self.unit}" if self.unit else ""]
        if not self.required:
            facts.append(f"default {self.write(self.default) or 'empty'}")
        if self.steps:
            facts.append("left and right move the slider; any other value can be typed beside it")
        return f"{self.help}\n{'; '.join(fact for fact in facts if fact)}."


def face(key: str) -> Face:
    """The face of a field of a run's configuration.

    Args:
        key: Dotted; `projects[0].source` and `projects.source` are the same field.
    """
    info = _info(key)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    required = info.default is PydanticUndefined
    kind, options = _kind(info.annotation)
    steps = extra.get("steps") or ()
    assert isinstance(steps, list | tuple)
    return Face(
        key=key,
        label=str(extra.get("label") or key.rpartition(".")[2].replace("_", " ")),
        help=info.description or "",
        unit=str(extra.get("unit") or ""),
        default=None if required else info.default,
        required=required,
        kind=kind,
        options=options,
        steps=tuple(float(step) if kind == "number" else step for step in steps),  # type: ignore[misc, arg-type]
        bounds=_bounds(info),
    )


def keys_of(prefix: str) -> list[str]:
    """The keys of all fields below a section, in the order of their declaration, those of sections in it too."""
    model = _model(prefix.split(".") if prefix else [])
    found = []
    for name, info in model.model_fields.items():
        key = f"{prefix}.{name}" if prefix else name
        inner = info.annotation
        is_section = isinstance(inner, type) and issubclass(inner, BaseModel)
        found += keys_of(key) if is_section else [key]
    return found


def _info(key: str) -> FieldInfo:
    *sections, name = key.split(".")
    return _model(sections).model_fields[name]


def _model(sections: list[str]) -> type[BaseModel]:
    model: type[BaseModel] = RunConfig
    for section in sections:
        annotation = model.model_fields[section.partition("[")[0]].annotation
        inner = get_args(annotation)[0] if get_origin(annotation) is list else annotation
        assert isinstance(inner, type)
        model = inner
    return model


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(map(str, get_args(annotation)))
    if get_origin(annotation) in (Union, UnionType):
        literal = next(part for part in get_args(annotation) if get_origin(part) is Literal)
        return "words", tuple(map(str, get_args(literal)))
    if get_origin(annotation) is list:
        return "list", ()
    if annotation is bool:
        return "switch", tuple(SWITCH)
    kinds: dict[Any, Kind] = {int: "whole", float: "number"}
    return kinds.get(annotation, "text"), ()


def _bounds(info: FieldInfo) -> str:
    limits = {
        name: getattr(part, name)
        for part in info.metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(part, name, None) is not None
    }
    low = f"{limits['ge']:,} or more" if "ge" in limits else f"above {limits['gt']:,}" if "gt" in limits else ""
    high = f"at most {limits['le']:,}" if "le" in limits else f"below {limits['lt']:,}" if "lt" in limits else ""
    if "ge" in limits and "le" in limits:
        return f"{limits['ge']:,} to {limits['le']:,}"
    return ", ".join(part for part in (low, high) if part)
