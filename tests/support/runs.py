"""Configurations and journals for tests of runs."""

from __future__ import annotations

from collections.abc import Iterable

from duotune.config.run import AdapterConfig, ModelConfig, ProjectConfig, RunConfig
from duotune.runs.events import Event


def run_config(name: str = "shop") -> RunConfig:
    """A configuration of one project on the bundled model."""
    return RunConfig(
        name=name,
        projects=[ProjectConfig(name="shop", source="/src/shop")],
        model=ModelConfig(path="tiny"),
        adapter=AdapterConfig(name=name),
    )


def at(start: float, *events: Event) -> list[Event]:
    """The events, one second apart from `start` on."""
    return [event.model_copy(update={"ts": start + i, "seq": i + 1}) for i, event in enumerate(events)]


def timed(pairs: Iterable[tuple[float, Event]]) -> list[Event]:
    """The events at the given times."""
    return [event.model_copy(update={"ts": ts, "seq": i + 1}) for i, (ts, event) in enumerate(pairs)]
