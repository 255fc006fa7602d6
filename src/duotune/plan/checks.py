"""What is looked at before a run starts; each check answers in a sentence and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from duotune import paths
from duotune.catalog.catalog import open_catalog
from duotune.config.host import ServingConfig
from duotune.config.run import ProjectConfig, RunConfig
from duotune.data.recipes import divided, taught, teach
from duotune.data.recipes import untaught as no_examples
from duotune.data.survey import Survey, survey
from duotune.errors import DuotuneError, ExitCode, HostError, UsageError, printable
from duotune.hardware.estimate import MemoryEstimate
from duotune.hardware.gpu import Gpu
from duotune.models.locate import fingerprint, locate
from duotune.models.prompts import PromptRenderer
from duotune.models.shape import ModelShape, read_shape
from duotune.models.tokenizer import load_tokenizer
from duotune.plan.records import Check, ModelPlan, ProjectPlan
from duotune.runs.launcher import no_room
from duotune.runs.pause import refusal
from duotune.runs.wording import counted, in_bytes, in_gib
from duotune.sources.git import enclosing_repository
from duotune.sources.open import open_source
from duotune.storage.credentials import only_in_environment
from duotune.storage.locations import open_storage

T = TypeVar("T")

# Estimates are within 15 % of what was measured, but only for the models and settings that were, and memory that others
# hold now may be free by the time that training begins. Neither makes up for half of what a run needs.
_BEYOND_DOUBT = 2


def attempt(checks: list[Check], name: str, action: Callable[[], tuple[T, str]]) -> T | None:
    """Run one check; its outcome, good or bad, is listed."""
    try:
        value, detail = action()
    except DuotuneError as error:
        checks.append(
            Check(name=name, status="refused", detail=error.message, hint=error.hint, exit_code=error.exit_code)
        )
        return None
    checks.append(Check(name=name, status="ok", detail=detail))
    return value


def device_check(gpu: Gpu | None, cores: int) -> Check:
    """Which device will train; a host without a GPU is worth a warning."""
    if gpu:
        return Check(name="device", status="ok", detail=f"{gpu.name}, {in_gib(gpu.memory_free_bytes)} free")
    detail = f"no GPU is visible: training runs on {cores} CPU cores, which suits models of a few million parameters"
    return Check(name="device", status="warning", detail=detail)


def look_at_project(project: ProjectConfig, config: RunConfig, checks: list[Check]) -> ProjectPlan | None:
    """Open a project's source and count what it brings; None when it cannot be read."""

    def look() -> tuple[ProjectPlan, str]:
        with open_source(project.source, project.ref) as source:
            found = survey(source, project, config.data)
        commit = f" at {source.commit[:12]}" if source.commit else ""
        return _project_plan(project, source.commit, found), f"{counted(found.files, 'file')} kept{commit}"

    found = attempt(checks, f"project {project.name}", look)
    with open_catalog() as catalog:
        known = catalog.projects.find(project.name)
    if found and known and known.source != project.source:
        detail = f"the catalog knows {project.name} as {printable(known.source)}, and goes on doing so"
        hint = "Give the project another name, unless it has only moved."
        checks.append(Check(name=f"project {project.name}", status="warning", detail=detail, hint=hint))
    if found and not found.commit and (above := enclosing_repository(Path(project.source))):
        detail = (
            f"{project.name} is a folder inside of the Git repository {printable(above)}, so that no commit is pinned"
        )
        inside = Path(project.source).absolute().relative_to(above)
        hint = f'Name {printable(above)} as its source, with include = ["/{printable(inside)}/"], to pin a commit.'
        checks.append(Check(name=f"project {project.name}", status="warning", detail=detail, hint=hint))
    for setting, globs in found.unmatched.items() if found else ():
        detail = f"no file matches what its {setting} names: {printable(', '.join(globs))}"
        hint = "Globs are as in .gitignore, from the project's own folder, such as docs/ or *.pb.go."
        checks.append(Check(name=f"project {project.name}", status="warning", detail=detail, hint=hint))
    return found


def _project_plan(project: ProjectConfig, commit: str | None, found: Survey) -> ProjectPlan:
    return ProjectPlan(
        name=project.name,
        source=project.source,
        commit=commit,
        files=found.files,
        bytes=found.bytes,
        languages=dict(found.by_language),
        found=dict(found.found),
        doubtful=dict(found.doubtful),
        rejected=dict(found.rejected),
        tokens=found.estimated_tokens,
        late=found.late,
        unmatched={setting: list(globs) for setting, globs in found.unmatched.items()},
    )


def check_recipes(config: RunConfig, projects: list[ProjectPlan], checks: list[Check]) -> None:
    """Whether a recipe with a share applies to each language that the projects bring."""
    shares = config.data.recipes.model_dump()
    languages = sorted({name for project in projects for name in project.languages})
    untaught = [name for name in languages if not taught(shares, name)]

    def apply() -> tuple[None, str]:
        if len(untaught) == len(languages):
            raise UsageError(f"There is nothing to train on: {no_examples(languages)}", teach(languages))
        return None, "; ".join(divided(shares, languages))

    if languages:
        attempt(checks, "recipes", apply)
    if untaught and len(untaught) < len(languages):
        detail = f"{no_examples(untaught)} Such files will not be trained on".strip()
        hint = f"{teach(untaught)} Or leave those files out of the projects."
        checks.append(Check(name="recipes", status="warning", detail=detail, hint=hint))


def look_at_model(config: RunConfig, checks: list[Check]) -> tuple[ModelShape | None, ModelPlan | None]:
    """Find the base model, read its shape, and see whether it can do what the recipes ask."""

    def look() -> tuple[tuple[ModelShape, ModelPlan], str]:
        directory = locate(config.model.path)
        shape = read_shape(directory)
        renderer = PromptRenderer(load_tokenizer(directory))
        if config.data.recipes.fim and not renderer.supports_fim:
            raise UsageError(
                f"The model {config.model.path} has no fill-in-the-middle tokens, which the recipe fim needs.",
                "Set data.recipes.fim = 0, or choose a code model that completes in the middle.",
            )
        if config.data.sequence_length > shape.max_position_embeddings:
            raise UsageError(
                f"data.sequence_length is {config.data.sequence_length}, but the model reads at most "
                f"{shape.max_position_embeddings} tokens.",
                f"Set data.sequence_length = {shape.max_position_embeddings} or less.",
            )
        model = ModelPlan(
            path=str(directory),
            fingerprint=fingerprint(directory),
            architecture=shape.architecture,
            parameters=shape.parameters,
            fim=renderer.supports_fim,
        )
        return (shape, model), f"{shape.architecture}, {shape.parameters / 1e6:,.1f} million parameters"

    found = attempt(checks, "base model", look)
    if found and config.model.path == "tiny":
        detail = "the bundled model is for trying duotune out; its completions are of no use"
        hint = "Name the directory of a code model for real work, such as Qwen2.5-Coder-7B."
        checks.append(Check(name="base model", status="warning", detail=detail, hint=hint))
    return found or (None, None)


def check_precision(config: RunConfig, gpu: Gpu | None, checks: list[Check]) -> None:
    """Whether the chosen quantization can work here; only looked at when one is chosen."""

    def possible() -> tuple[None, str]:
        if gpu is None:
            raise HostError("model.quantization = nf4 needs a GPU, and none is visible.", 'Set it to "none".')
        if find_spec("bitsandbytes") is None:
            raise HostError(
                "model.quantization = nf4 needs the package bitsandbytes, which is not installed.",
                'Install it beside duotune, or set model.quantization = "none".',
            )
        return None, "nf4 is possible here"

    if config.model.quantization != "none":
        attempt(checks, "quantization", possible)


def check_target_modules(config: RunConfig, shape: ModelShape, checks: list[Check]) -> None:
    """Whether the layers that shall get an adapter exist; only looked at when they are named."""
    wanted = config.lora.target_modules

    def exist() -> tuple[None, str]:
        known = sorted({name.rpartition(".")[2] for name in shape.linear_layers()})
        missing = [name for name in wanted if name not in known]
        if missing:
            raise UsageError(
                f"The model has no linear layers named {', '.join(missing)}, which lora.target_modules asks for.",
                f"It has: {', '.join(known)}.",
            )
        return None, f"{', '.join(wanted)}"

    if wanted != "all-linear":
        attempt(checks, "target modules", exist)


def check_embedder(config: RunConfig, checks: list[Check]) -> None:
    """Whether the embedder is there; only looked at when it is not the base model."""
    embedder = config.evaluation.embedder

    def there() -> tuple[None, str]:
        if not (Path(embedder) / "modules.json").is_file() and not (Path(embedder) / "config.json").is_file():
            raise UsageError(
                f"evaluation.embedder is {printable(embedder)}, which holds no sentence-transformers model.",
                'Name the folder with its modules.json, or set evaluation.embedder = "base".',
            )
        return None, embedder

    if embedder != "base":
        attempt(checks, "embedder", there)


def check_vllm(config: RunConfig, serving: ServingConfig, checks: list[Check]) -> None:
    """Whether vLLM can make room for the run; only looked at when it has to."""

    def can_stop() -> tuple[None, str]:
        refused = refusal(serving, only_in_environment([config.data.location, config.adapter.location]))
        if refused:
            raise no_room(refused)
        return None, f"{serving.unit} stops while the run works, and starts again after it; a stopped one stays so"

    if serving.during_training == "stop":
        attempt(checks, "vLLM", can_stop)


def check_locations(config: RunConfig, checks: list[Check]) -> None:
    """Whether state, data and adapters can be written where they are to go."""
    places = {
        "state": str(paths.home()),
        "data location": config.data.location,
        "adapter location": config.adapter.location,
    }

    def writable(location: str) -> tuple[None, str]:
        open_storage(location).check_writable()
        return None, f"{location} is writable"

    for name, location in places.items():
        if location:
            attempt(checks, name, partial(writable, location))


def check_adapter_name(config: RunConfig, base: str, checks: list[Check]) -> None:
    """Whether the adapter's name is free, or has versions of the same base model."""

    def available() -> tuple[None, str]:
        name = config.adapter.name
        with open_catalog() as catalog:
            catalog.adapters.check_base(name, base)
            newest = max((version.version for version in catalog.adapters.versions(name)), default=0)
        return None, f"will be published as {name}.v{newest + 1}"

    attempt(checks, "adapter name", available)


def memory_check(memory: MemoryEstimate, free: int, device: str) -> Check:
    """Whether training is expected to fit; an estimate only warns, unless it is far beyond what is free."""
    detail = f"about {in_gib(memory.total_bytes)} (estimated) of {in_gib(free)} free on {device}"
    if memory.total_bytes <= free:
        return Check(name="memory", status="ok", detail=detail)
    answers = memory.working_bytes == memory.answer_bytes
    batch = "evaluation.batch_size" if answers else "training.per_device_train_batch_size"
    hint = f"Lower data.sequence_length or {batch}, or choose a smaller model."
    if memory.total_bytes <= _BEYOND_DOUBT * free:
        return Check(name="memory", status="warning", detail=f"may not fit: {detail}", hint=hint)
    said = f"does not fit: {detail}"
    return Check(name="memory", status="refused", detail=said, hint=hint, exit_code=ExitCode.ENVIRONMENT)


def disk_check(needed: int, free: int) -> Check:
    """Whether the run's files fit on the disk."""
    detail = f"about {in_bytes(needed)} of {in_bytes(free)} free in {paths.home()}"
    if needed <= free:
        return Check(name="disk", status="ok", detail=detail)
    return Check(
        name="disk",
        status="refused",
        detail=f"The disk is too full: the run needs {detail}.",
        hint="Free some space, or set DUOTUNE_HOME to a larger disk.",
        exit_code=ExitCode.ENVIRONMENT,
    )
