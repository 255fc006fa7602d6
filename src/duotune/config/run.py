"""RunConfig: everything that decides the result of one run."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

from pydantic import field_validator, model_validator

from duotune.config.evaluation import EvaluationConfig
from duotune.config.fields import Section, checked_location, setting
from duotune.config.training import LoraSettings, TrainingConfig

SHARES = tuple(step / 20 for step in range(21))
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,62}$"
LONGEST_NAME = 63
PROJECT_NAME_PATTERN = r"^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$"
_VERSIONED = re.compile(r".+\.v[1-9][0-9]*")


class ProjectConfig(Section):
    """A body of code that the adapter is trained on."""

    name: str = setting(
        "", help="Name in the catalog; the last part of the source when empty.", pattern=PROJECT_NAME_PATTERN
    )
    source: str = setting(help="A folder, a Git repository on disk, or a Git URL.", min_length=1)
    ref: str = setting("HEAD", help="Branch, tag or commit to train on (Git sources only).")
    include: list[str] = setting([], help="Globs of paths to keep, as in .gitignore; empty keeps all.")
    exclude: list[str] = setting([], help="Globs of paths to leave out, as in .gitignore.")
    languages: list[str] = setting(
        [],
        help='Languages to keep, as ["Python", "C"], or to leave out, as ["!HTML"]; empty keeps programming languages.',
    )


class ModelConfig(Section):
    """The frozen base model."""

    path: str = setting(
        help='Directory of a Hugging Face model, a hub id in the local cache, or "tiny" for the bundled one.',
        label="base model",
        min_length=1,
    )
    dtype: Literal["auto", "bfloat16", "float32"] = setting(
        "auto", help="Precision of the frozen weights; auto is bfloat16 on a GPU and float32 on a CPU."
    )
    quantization: Literal["none", "nf4"] = setting(
        "none", help="nf4 cuts weight memory to a quarter, but trains slower; only when bfloat16 does not fit."
    )


class Recipes(Section):
    """Share of the text that becomes each kind of training example; relative, between those that apply to a file: they
    need not sum to 1.

    `fim`, `code`, `signature` and `metadata` divide files of code between them, `raw` and `heading` documents, which a
    project has when its `languages` name them. Where a file has no function, comment or heading, its part goes to the
    others.
    """

    fim: float = setting(
        0.55,
        help="Fill-in-the-middle: what a code completion asks for; more helps completions.",
        steps=SHARES,
        ge=0,
        le=1,
    )
    code: float = setting(
        0.25,
        help="Plain code, a project's files together where the model knows how: teaches names, keeps fluent.",
        steps=SHARES,
        ge=0,
        le=1,
    )
    signature: float = setting(
        0.15,
        help="Whole function bodies from signature and docstring: longer answers, at the cost of others.",
        steps=SHARES,
        ge=0,
        le=1,
    )
    metadata: float = setting(
        0.05,
        help="Code from the comment or docstring above it; more helps only where comments are good.",
        steps=SHARES,
        ge=0,
        le=1,
    )
    raw: float = setting(
        0.7,
        help="Plain text of documents such as Markdown: teaches the project's terms, not how to write code.",
        steps=SHARES,
        ge=0,
        le=1,
    )
    heading: float = setting(
        0.3,
        help="Sections of Markdown and reStructuredText from their heading: helps writing documents.",
        steps=SHARES,
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _some_share(self) -> Recipes:
        if sum(self.model_dump().values()) <= 0:
            raise ValueError("at least one recipe needs a share above 0")
        return self


class PromptLossWeight(Section):
    """Weight of a prompt's tokens in the loss, relative to the answer's; 0 learns from answers alone.

    Small weights help where answers are short, and do nothing where they are long (arXiv 2401.13586). What surrounds a
    signature, comment or heading is context, and never counts.
    """

    fim: float = setting(
        0.0,
        help="Source around the hole. 0, since `code` teaches the same text whole; set 0.05 when `code` has no share.",
        label="fim prompts",
        steps=WEIGHTS,
        ge=0,
        le=1,
    )
    signature: float = setting(
        0.1,
        help="Signature and docstring: a little teaches how this project names and declares; more drowns bodies.",
        label="signature prompts",
        steps=WEIGHTS,
        ge=0,
        le=1,
    )
    metadata: float = setting(
        0.0,
        help="Comment or docstring. 0, since completions should be code; more also teaches to write comments.",
        label="metadata prompts",
        steps=WEIGHTS,
        ge=0,
        le=1,
    )
    heading: float = setting(
        0.1,
        help="Heading: a little teaches how this project titles its documents; `raw` teaches the rest.",
        label="heading prompts",
        steps=WEIGHTS,
        ge=0,
        le=1,
    )


class DataConfig(Section):
    """How source files become training examples, and where the result is kept."""

    location: str = setting(
        "",
        help="Folder or s3://bucket/prefix for prepared datasets; empty is duotune's own folder.",
        label="prepared data",
    )
    sequence_length: int = setting(
        2048,
        help="Tokens per packed row; longer shows the model more context, but needs more memory.",
        unit="tokens",
        steps=(256, 512, 1024, 2048, 4096, 8192, 16384),
        ge=64,
        le=131072,
    )
    validation_fraction: float = setting(
        0.05,
        help="Share of files that watch the loss during training.",
        steps=(0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3),
        ge=0.01,
        le=0.3,
    )
    test_fraction: float = setting(
        0.05,
        help="Share of files kept back for the final evaluation; more makes its figures surer.",
        steps=(0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
        ge=0.01,
        le=0.5,
    )
    held_out_after: str = setting(
        "",
        help='Test on files first committed after this day ("2026-01-31"), as in real use; empty takes a chance share.',
    )
    max_file_bytes: int = setting(
        1_000_000,
        help="Larger files are left out: they are rarely written by hand.",
        unit="bytes",
        steps=(100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000),
        ge=1000,
    )
    secrets: Literal["redact", "drop"] = setting(
        "redact", help="redact replaces a secret by a placeholder and keeps its file; drop leaves every such file out."
    )
    personal_data: Literal["redact", "keep"] = setting(
        "redact", help="redact replaces e-mail addresses, public IP addresses and phone numbers; keep trains on them."
    )
    seed: int = setting(0, help="Seed of every choice in preparation; the same seed gives the same dataset.", ge=0)
    recipes: Recipes = setting(
        Recipes(), help="Kinds of training examples by relative shares of the text: they need not sum to 1."
    )
    prompt_loss_weight: PromptLossWeight = setting(
        PromptLossWeight(), help="How much is learned from prompts, relative to answers; 0 is nothing."
    )
    answer_end_weight: float = setting(
        5.0,
        help="How much the end of an answer counts, relative to its other tokens; more stops sooner and says less.",
        steps=(1, 2, 5, 10, 20),
        ge=1,
        le=50,
    )

    _location = field_validator("location")(checked_location)

    @field_validator("held_out_after", mode="before")
    @classmethod
    def _a_day(cls, value: object) -> object:
        """A TOML date is as good as its text."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, str) and value:
            try:
                return date.fromisoformat(value).isoformat()
            except ValueError:
                raise ValueError('is not a day such as "2026-01-31"') from None
        return value


class AdapterConfig(Section):
    """The result."""

    name: str = setting(
        help="Name to publish under; a taken name makes the next version, name.v2.",
        label="adapter name",
        pattern=NAME_PATTERN,
    )
    location: str = setting(
        "",
        help="Folder or s3://bucket/prefix for published adapters; empty is duotune's own folder.",
        label="adapters",
    )
    publish: Literal["auto", "ask"] = setting(
        "auto", help="auto publishes unless the verdict is harmful; ask leaves it to `duotune adapters publish`."
    )

    _location = field_validator("location")(checked_location)

    @field_validator("name")
    @classmethod
    def _no_version(cls, name: str) -> str:
        if _VERSIONED.fullmatch(name):
            raise ValueError("ends like a version (.v1, .v2, ...), which publishing adds itself; leave that end out")
        return name


class RunConfig(Section):
    """One run, complete: the same file gives the same adapter."""

    name: str = setting(
        help="Name of the run; several runs may share it.", label="name of the run", pattern=NAME_PATTERN
    )
    projects: list[ProjectConfig] = setting(help="The code to train on.", min_length=1)
    model: ModelConfig = setting(help="The base model.")
    adapter: AdapterConfig = setting(help="The result.")
    data: DataConfig = setting(DataConfig(), help="How files become examples.")
    lora: LoraSettings = setting(LoraSettings(), help="The adapter's shape.")
    training: TrainingConfig = setting(TrainingConfig(), help="The optimisation.")
    evaluation: EvaluationConfig = setting(EvaluationConfig(), help="The comparison with the base model.")
