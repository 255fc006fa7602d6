"""Publishes adapters that no training made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duotune.adapters.manifest import BaseModelRef, ManifestDraft, ProjectRef
from duotune.adapters.publish import PublishedAdapter, publish
from duotune.catalog.catalog import Catalog
from duotune.models.shape import ModelShape
from support.adapters import handmade_adapter


def draft(base: str = "base-a", **changes: Any) -> ManifestDraft:
    """What publishing is told of an adapter `demo`, from a run that found it better."""
    fields: dict[str, Any] = {
        "name": "demo",
        "base": BaseModelRef(path="/m", name="micro", fingerprint=base, architecture="Qwen2ForCausalLM"),
        "projects": [ProjectRef(name="shop", source="https://ann:secret@git.local/shop.git", commit="abc")],
        "run": "run-1",
        "config": {"projects": [{"source": "https://ann:secret@git.local/shop.git"}]},
        "evaluation": {"verdict": "better"},
        "verdict": "better",
    }
    return ManifestDraft(**(fields | changes))


class Publisher:
    """Publishes handmade adapters; `fill` makes their content."""

    def __init__(self, shape: ModelShape, catalog: Catalog, folder: Path) -> None:
        self.shape, self.catalog, self.folder = shape, catalog, folder

    def adapter(self, fill: int) -> Path:
        """A trained adapter that is not published."""
        return handmade_adapter(self.shape, fill=fill).write(self.folder / f"trained-{fill}")

    def __call__(self, fill: int = 1, location: str = "", base: str = "base-a", **changes: Any) -> PublishedAdapter:
        options = {key: changes.pop(key) for key in ("policy", "by", "extras") if key in changes}
        return publish(
            self.adapter(fill), draft(base, **changes), self.shape, self.catalog, location=location, **options
        )
