"""What is known of base models on this host: read in threads."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from duotune.config.load import load_host_config
from duotune.config.run import RunConfig
from duotune.errors import DuotuneError, ModelError
from duotune.hardware.estimate import MemoryEstimate, training_memory
from duotune.hardware.gpu import visible_gpus
from duotune.hardware.host import read_host
from duotune.models.family import detect_fim
from duotune.models.locate import hub_cache, known_fingerprint, locate
from duotune.models.shape import ModelShape, read_shape
from duotune.models.tokenizer import load_tokenizer
from duotune.plan import figures
from duotune.plan.checks import memory_check
from duotune.plan.records import Check, Duration, ModelPlan
from duotune.plan.resolve import free_bytes
from duotune.runs.directory import list_runs

MOST_RUNS = 30
"""So many of the newest runs are asked for their models."""


@dataclass(frozen=True)
class BaseModel:
    """A base model.

    Attributes:
        path: As a configuration names it.
        directory: Where it is.
        shape: Its shape.
        family: Its fill-in-the-middle format; empty when it has none.
    """

    path: str
    directory: Path
    shape: ModelShape
    family: str

    @property
    def facts(self) -> str:
        """Architecture, size, family and whether it completes in the middle, in words."""
        kind = f"{self.family}, completes in the middle" if self.family else "does not complete in the middle"
        return f"{self.shape.architecture}, {in_parameters(self.shape.parameters)}, {kind}"


@dataclass(frozen=True)
class Expected:
    """What the draft is expected to need.

    Attributes:
        memory: Of training.
        free: Bytes that the device has free.
        check: Whether it fits, in the words of the plan.
        device: GPU's name, or `cpu`.
        durations: Of each stage.
        steps: Optimizer steps.
    """

    memory: MemoryEstimate
    free: int
    check: Check
    device: str
    durations: dict[str, Duration]
    steps: int


def in_parameters(count: int) -> str:
    """`7.6 billion`, `4.9 million`."""
    return f"{count / 1e9:.1f} billion" if count >= 1e9 else f"{count / 1e6:.1f} million"


def read_model(path: str) -> BaseModel:
    """A base model by its path, without loading it.

    Raises:
        ModelError: There is none, or it is of no use.
    """
    directory = locate(path)
    fim = detect_fim(load_tokenizer(directory))
    return BaseModel(path, directory, read_shape(directory), fim.family if fim else "")


def find_models(also: str = "") -> list[BaseModel | tuple[str, DuotuneError]]:
    """The models of this host: the bundled one, the Hugging Face cache's, and folders next to known models.

    Args:
        also: A path beside which others may lie.

    Returns:
        Those that can be used first; the others with the reason why not.
    """
    good: list[BaseModel | tuple[str, DuotuneError]] = []
    bad: list[BaseModel | tuple[str, DuotuneError]] = []
    for path in dict.fromkeys(_candidates(also)):
        try:
            good.append(read_model(path))
        except DuotuneError as error:
            bad.append((path, error))
    return good + bad


def expect(config: RunConfig, model: BaseModel, tokens: int, source_bytes: int) -> Expected:
    """Memory and time, by the arithmetic of the plan; the weights are not hashed for it."""
    gpu = next(iter(visible_gpus()), None)
    host = read_host()
    device = gpu.name if gpu else "cpu"
    free = free_bytes(gpu, load_host_config().serving) if gpu else host.memory_available_bytes
    memory = training_memory(model.shape, config, gpu is not None)
    known = ModelPlan(
        path=str(model.directory),
        fingerprint=known_fingerprint(model.directory),
        architecture=model.shape.architecture,
        parameters=model.shape.parameters,
        fim=bool(model.family),
    )
    return Expected(
        memory=memory,
        free=free,
        check=memory_check(memory, free, device),
        device=device,
        durations=figures.durations(config, model.shape, known, device, host.cores, tokens, source_bytes),
        steps=figures.optimizer_steps(tokens, config),
    )


def _candidates(also: str) -> Iterator[str]:
    yield "tiny"
    for folder in _entries(hub_cache()):
        if folder.name.startswith("models--") and (folder / "snapshots").is_dir():
            hub_id = folder.name.removeprefix("models--").replace("--", "/")
            if _is_model_of_cache(hub_id):
                yield hub_id
    for known in dict.fromkeys(_known(also)):
        directory = Path(os.path.expanduser(known))
        if directory.is_absolute():
            yield str(directory)
            for beside in _entries(directory.parent):
                if (beside / "config.json").is_file() and (beside / "tokenizer.json").is_file():
                    yield str(beside)


def _is_model_of_cache(hub_id: str) -> bool:
    """Whether what the cache has is a model at all; it may be a tokenizer alone, or an embedder."""
    try:
        return (locate(hub_id) / "config.json").is_file()
    except ModelError:
        return False


def _known(also: str) -> Iterator[str]:
    """Paths of models that this host has used, or that are being chosen."""
    yield also
    with contextlib.suppress(DuotuneError):
        yield load_host_config().serving.base
    for run in list_runs()[:MOST_RUNS]:
        try:
            yield run.read_config().model.path
        except DuotuneError:
            continue


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    except OSError:
        return []
