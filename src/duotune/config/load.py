"""TOML files to configurations: every problem of a file is reported at once."""

from __future__ import annotations

import difflib
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from duotune.config.host import HostConfig
from duotune.config.resolve import resolve_paths
from duotune.config.run import RunConfig
from duotune.errors import ConfigError, Problem, UsageError, printable
from duotune.paths import host_config_file

Model = TypeVar("Model", bound=BaseModel)

_REASONS = {
    "missing": "is required",
    "extra_forbidden": "unknown key",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false",
    "list_type": "must be a list in [brackets]",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dict_type": "must be a table",
}


# The commands that print a configuration with every default.
_TEMPLATES: Mapping[type[BaseModel], str] = {
    RunConfig: "duotune config new > run.toml",
    HostConfig: "duotune config new --host > duotune.toml",
}

# What other tools call these settings.
_OTHER_NAMES = {
    "lr": "training.learning_rate",
    "epochs": "training.num_train_epochs",
    "batch_size": "training.per_device_train_batch_size",
    "max_length": "data.sequence_length",
    "max_seq_length": "data.sequence_length",
    "rank": "lora.r",
    "alpha": "lora.lora_alpha",
    "dropout": "lora.lora_dropout",
}


def load_run_config(file: Path) -> RunConfig:
    """Read, check and resolve a run's configuration.

    Paths in it are taken from the file's own folder and become absolute.

    Raises:
        ConfigError: The file cannot be read or has problems; all of them are listed.
    """
    return run_config(read_toml(file), file)


def run_config(data: Mapping[str, Any], file: Path) -> RunConfig:
    """The configuration that parsed TOML is; for `file`, see `load_run_config`.

    Raises:
        ConfigError: It has problems; all of them are listed.
    """
    return resolve_paths(parse(RunConfig, data, str(file)), file.absolute().parent)


def load_host_config(file: Path | None = None) -> HostConfig:
    """Read the host's configuration; a file that does not exist means defaults.

    Raises:
        ConfigError: The file cannot be read or has problems; all of them are listed.
    """
    file = file or host_config_file()
    return parse(HostConfig, read_toml(file, HostConfig), str(file)) if file.exists() else HostConfig()


def read_toml(file: Path, model: type[BaseModel] = RunConfig) -> dict[str, Any]:
    """Parse a TOML file.

    Args:
        file: A regular file: a FIFO is not waited for.
        model: What it is to be the configuration of, for the advice in errors.

    Raises:
        UsageError: The file is missing or unreadable.
        ConfigError: It is not TOML.
    """
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise UsageError(
                f"The configuration file {printable(file)} cannot be read: it is not a regular file.",
                "Name a TOML file.",
            )
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"There is no configuration file {printable(file)}.", f"Write one with `{_TEMPLATES[model]}`."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"The configuration file {printable(file)} cannot be read: {reason}.", "Name a TOML file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(file), [Problem("TOML", None, str(error))], _advice(model)) from error


def parse(model: type[Model], data: Mapping[str, Any], file: str) -> Model:
    """Validate parsed TOML against a configuration model.

    Raises:
        ConfigError: With one problem per offending key.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ConfigError(file, list(_problems(model, data, details)), _advice(model)) from None


def _advice(model: type[BaseModel]) -> str:
    command = _TEMPLATES.get(model, "").partition(" > ")[0]
    return f"Correct the keys above; `{command}` prints a file with every key and its default." if command else ""


def _problems(model: type[BaseModel], data: Mapping[str, Any], details: Sequence[ErrorDetails]) -> Iterator[Problem]:
    by_key: dict[str, list[ErrorDetails]] = {}
    for detail in details:  # a union reports the same key once per alternative
        by_key.setdefault(dotted(_existing_location(data, detail["loc"], detail["type"])), []).append(detail)
    for key, alternatives in by_key.items():
        first = alternatives[0]
        value = None if first["type"] == "missing" or isinstance(first["input"], dict) else first["input"]
        reason = " or ".join(dict.fromkeys(_reason(detail) for detail in alternatives))
        location = _existing_location(data, first["loc"], first["type"])
        suggestion = nearest_key(model, location) if first["type"] == "extra_forbidden" else ""
        yield Problem(key, value, reason, suggestion)


def _reason(detail: ErrorDetails) -> str:
    if detail["type"] == "list_type" and isinstance(detail["input"], dict):
        return f"must be written with two brackets: [[{detail['loc'][-1]}]]"
    if detail["type"] in _REASONS:
        return _REASONS[detail["type"]]
    if detail["type"] == "string_pattern_mismatch":
        letters = "letters" if "A-Z" in str(detail.get("ctx", {}).get("pattern")) else "small letters"
        return f"may hold {letters}, digits, dots, dashes and underscores, and begins with a letter or digit"
    if detail["type"] == "string_too_short":
        return "must not be empty"
    message = detail["msg"].removeprefix("Value error, ")
    return message.replace("Input should be", "must be").replace("List should have", "must have")


def _existing_location(data: Any, location: Sequence[int | str], kind: str) -> tuple[int | str, ...]:
    """Drop what pydantic adds for unions: only keys of the file itself mean something to its author."""
    kept: list[int | str] = []
    for step in location:
        present = (isinstance(data, Mapping) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        )
        if not present:
            return (*kept, step) if kind == "missing" else tuple(kept)
        kept.append(step)
        data = data[step]
    return tuple(kept)


def dotted(location: Sequence[int | str]) -> str:
    """`('projects', 0, 'source')` as `projects[0].source`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def nearest_key(model: type[BaseModel], location: Sequence[int | str]) -> str:
    """The valid key nearest to an unknown one: first among its neighbours, then in the whole file."""
    *parents, last = location
    level: type[BaseModel] | None = model
    for step in parents:
        if isinstance(step, str) and level is not None:
            level = _submodel(level, step)
    name = str(last)
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    neighbours = list(level.model_fields) if level else []
    close = difflib.get_close_matches(name, neighbours, n=1, cutoff=0.6)
    if close:
        return close[0]
    everywhere = {key.rsplit(".", 1)[-1]: key for key in _all_keys(model)}
    elsewhere = difflib.get_close_matches(name, list(everywhere), n=1, cutoff=0.75)
    return everywhere[elsewhere[0]] if elsewhere else ""


def _submodel(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = model.model_fields.get(name)
    if field is None:
        return None
    candidates = (field.annotation, *get_args(field.annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def _all_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name in model.model_fields:
        yield prefix + name
        submodel = _submodel(model, name)
        if submodel:
            yield from _all_keys(submodel, f"{prefix}{name}.")
