"""Published adapters and projects for tests of the app: real files, real rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duotune.adapters.manifest import BaseModelRef, ManifestDraft, ProjectRef
from duotune.adapters.publish import publish
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import open_catalog
from duotune.models.locate import fingerprint
from duotune.models.shape import read_shape
from support.adapters import handmade_adapter
from support.projects import make_project


@dataclass(frozen=True)
class Shelf:
    """Publishes handmade adapters of one base model.

    Attributes:
        model: The base model's directory.
        folder: Where projects and trained adapters are put.
    """

    model: Path
    folder: Path

    def project(self, name: str) -> Path:
        """A Git repository with real code."""
        path = self.folder / name
        return path if path.exists() else make_project(path, "json")

    def publish(self, name: str, *projects: str, verdict: str = "better", fill: int = 1) -> Version:
        """An adapter that was trained on these projects; `fill` makes its content."""
        shape = read_shape(self.model)
        trained = handmade_adapter(shape, fill=fill).write(self.folder / f"{name}-{fill}")
        draft = ManifestDraft(
            name=name,
            base=BaseModelRef(
                path=str(self.model), name="micro", fingerprint=fingerprint(self.model), architecture="Qwen2ForCausalLM"
            ),
            projects=[ProjectRef(name=one, source=str(self.project(one)), commit="abc") for one in projects],
            verdict=verdict,
        )
        with open_catalog() as catalog:
            return publish(trained, draft, shape, catalog).version
