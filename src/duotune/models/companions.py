"""What belongs to a model beside its weights: what an engine reads, and the licence that goes along."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duotune.models.weights import INDEX, weight_files

_READ = (".json", ".jinja", ".txt", ".model", ".tiktoken", ".py")
_LEGAL = ("license", "licence", "notice", "copying")
_OTHER_FORMAT = ("params.json",)
"""Makes an engine look for weights in another format, which a merged model does not have."""


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model's directory.

    Attributes:
        weights: The safetensors files that make it up.
        companions: What goes along with them, the weights' index included.
        left_out: Names of the rest: weights in other formats, the model card, folders.
    """

    weights: tuple[Path, ...]
    companions: tuple[Path, ...]
    left_out: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Of weights and companions."""
        return sum(file.stat().st_size for file in (*self.weights, *self.companions))


def model_files(directory: Path) -> ModelFiles:
    """Sort the files of a model's directory.

    Raises:
        ModelError: The weights are incomplete.
    """
    weights = weight_files(directory)
    entries = [entry for entry in sorted(directory.iterdir()) if entry not in weights]
    companions = [entry for entry in entries if _belongs(entry)]
    left_out = [entry.name for entry in entries if entry not in companions and not entry.name.startswith(".")]
    return ModelFiles(tuple(weights), tuple(companions), tuple(left_out))


def _belongs(file: Path) -> bool:
    name = file.name.lower()
    if not file.is_file() or name.startswith("."):
        return False
    if name.startswith(_LEGAL):
        return True
    other_index = name.endswith(".index.json") and file.name != INDEX
    return name.endswith(_READ) and not other_index and name not in _OTHER_FORMAT
