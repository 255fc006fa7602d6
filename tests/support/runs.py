"""Configurations and journals for tests of runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from duotune.config.run import AdapterConfig, ModelConfig, ProjectConfig, RunConfig
from duotune.runs.events import Event
from duotune.runs.results import Prepared


def run_config(name: str = "shop") -> RunConfig:
    """A configuration of one project on the bundled model."""
    return RunConfig(
        name=name,
        projects=[ProjectConfig(name="shop", source="/src/shop")],
        model=ModelConfig(path="tiny"),
        adapter=AdapterConfig(name=name),
    )


def prepared(**values: Any) -> Prepared:
    """What the stage `prepare` left behind; only the values that are given mean something."""
    empty: dict[str, Any] = {
        "dataset": "/d",
        "fingerprint": "f",
        "reused": False,
        "train_rows": 1,
        "train_tokens": 2000,
        "label_tokens": 1,
        "validation_rows": 1,
        "items": {},
        "leaked": 0,
        "projects": [],
    }
    return Prepared(**{**empty, **values})


def at(start: float, *events: Event) -> list[Event]:
    """The events, one second apart from `start` on."""
    return [event.model_copy(update={"ts": start + i, "seq": i + 1}) for i, event in enumerate(events)]


def timed(pairs: Iterable[tuple[float, Event]]) -> list[Event]:
    """The events at the given times."""
    return [event.model_copy(update={"ts": ts, "seq": i + 1}) for i, (ts, event) in enumerate(pairs)]
