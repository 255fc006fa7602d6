"""Configurations to TOML: a frozen copy for machines, a commented template for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import tomlkit
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from tomlkit.container import Container
from tomlkit.items import AoT, Item, Table

from duotune.config.host import HostConfig
from duotune.config.load import parse
from duotune.config.run import AdapterConfig, ModelConfig, ProjectConfig, RunConfig

_WIDTH = 110


def dump_toml(config: BaseModel) -> str:
    """The configuration as TOML, without comments; parsing it gives an equal configuration."""
    return tomlkit.dumps(config.model_dump(mode="json"))


def brief_toml(config: RunConfig) -> str:
    """The run's configuration as TOML without what has its default; parsing it gives an equal configuration."""
    document = tomlkit.document()
    document.add(
        tomlkit.comment("A duotune run; what is not here has its default, which `duotune config show` prints.")
    )
    given: dict[str, Any] = {}
    for key, value in differing(config):
        _place(given, key, value)
    for name, value in given.items():
        if not isinstance(value, dict | list):
            document.add(name, value)
    for name, value in given.items():
        if isinstance(value, dict | list):
            document.add(tomlkit.nl())
            document.add(name, _remarked(tomlkit.item(value), name))
    return tomlkit.dumps(document)


def _remarked(item: Item, name: str) -> Item:
    """A section, with what its numbers alone do not say."""
    recipes = item.get("recipes") if name == "data" and isinstance(item, Table) else None
    if isinstance(recipes, Table):
        recipes.comment("relative shares of the text: they need not sum to 1")
    return item


def _place(given: dict[str, Any], key: str, value: Any) -> None:
    """Put a value where its dotted key says; `projects[1].name` makes a list of tables."""
    *above, last = key.split(".")
    table = given
    for step in above:
        name, _, index = step.partition("[")
        if not index:
            table = table.setdefault(name, {})
            continue
        tables = table.setdefault(name, [])
        while len(tables) <= int(index[:-1]):
            tables.append({})
        table = tables[int(index[:-1])]
    table[last] = value


def differing(config: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every setting that is not its default, in the order of declaration.

    Args:
        config: Any section; tables inside of it are descended into.
        prefix: What stands before the keys.
    """
    for name, field in type(config).model_fields.items():
        value, key = getattr(config, name), f"{prefix}{name}"
        if isinstance(value, BaseModel):
            yield from differing(value, f"{key}.")
        elif _is_table(value):
            for index, one in enumerate(value):
                yield from differing(one, f"{key}[{index}].")
        elif value != field.default:
            yield key, value


def run_template(name: str = "my-run", source: str = ".") -> str:
    """A commented RunConfig with every default, ready to edit.

    Args:
        name: Name of the run and of its adapter.
        source: Source of its one project.

    Raises:
        ConfigError: A run or an adapter cannot have that name, or a project that source.
    """
    adapter = parse(AdapterConfig, {"name": name}, "The request")
    project = parse(ProjectConfig, {"source": source}, "The request")
    example = RunConfig(name=name, projects=[project], model=ModelConfig(path="tiny"), adapter=adapter)
    return _commented(
        example,
        "A duotune run. Only name, projects.source, model.path and adapter.name are needed:\n"
        "every other line shows its default and may be deleted. Start it with `duotune run THIS_FILE`.",
    )


def host_template() -> str:
    """A commented HostConfig with every default."""
    return _commented(HostConfig(), "This host's configuration for duotune. Every line shows its default.")


def _commented(config: BaseModel, heading: str) -> str:
    document = tomlkit.document()
    for line in heading.splitlines():
        document.add(tomlkit.comment(line))
    _fill(document, config)
    return tomlkit.dumps(document)


def _fill(container: tomlkit.TOMLDocument | Table, model: BaseModel) -> None:
    fields = type(model).model_fields
    plain = [name for name in fields if not _is_table(getattr(model, name))]
    tables = [name for name in fields if name not in plain]
    for name in plain:  # TOML wants a table's own keys before its subtables
        if isinstance(container, Container):
            container.add(tomlkit.nl())
        for line in _explanation(fields[name]):
            container.add(tomlkit.comment(line))
        container.add(name, getattr(model, name))
    for name in tables:
        value = getattr(model, name)
        help_lines = _explanation(fields[name])
        container.add(name, _tables(value) if isinstance(value, list) else _table(value, help_lines))


def _is_table(value: Any) -> bool:
    return isinstance(value, BaseModel) or (isinstance(value, list) and bool(value) and isinstance(value[0], BaseModel))


def _table(model: BaseModel, heading: list[str]) -> Table:
    table = tomlkit.table()
    for line in heading:
        table.add(tomlkit.comment(line))
    if heading:
        table.add(tomlkit.nl())
    _fill(table, model)
    table.add(tomlkit.nl())
    return table


def _tables(models: list[BaseModel]) -> AoT:
    array = tomlkit.aot()
    for model in models:
        array.append(_table(model, []))
    return array


def _explanation(field: FieldInfo) -> list[str]:
    choices = _choices(field.annotation)
    text = field.description or ""
    if choices:
        text += f" One of: {', '.join(choices)}."
    return textwrap.wrap(text, _WIDTH, break_on_hyphens=False)


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return []
