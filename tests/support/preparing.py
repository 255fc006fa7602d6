"""Prepare folders as the worker does, for tests of the data room."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path

from duotune import paths
from duotune.catalog.catalog import open_catalog
from duotune.config.evaluation import EvaluationConfig
from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.combine import Dataset, combine
from duotune.data.manifest import Manifest
from duotune.data.prepare import Part, prepare_part
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import Reporter, SilentReporter
from duotune.sources.open import open_source

STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
MODULES = [
    "abc",
    "bisect",
    "cmd",
    "code",
    "colorsys",
    "copy",
    "csv",
    "dis",
    "filecmp",
    "fnmatch",
    "getopt",
    "glob",
    "graphlib",
    "gzip",
    "heapq",
    "hmac",
    "stat",
    "linecache",
    "netrc",
    "numbers",
    "operator",
    "pprint",
    "queue",
    "reprlib",
    "sched",
    "shelve",
    "shlex",
    "socketserver",
    "string",
    "tempfile",
    "textwrap",
    "timeit",
    "sndhdr",
    "trace",
    "zipapp",
]
DATA = DataConfig(sequence_length=256, validation_fraction=0.1, test_fraction=0.1)
EVALUATION = EvaluationConfig(fim_items=12, signature_items=6, max_new_tokens=64)


def part_of(
    folder: Path,
    tokenizer: CodeTokenizer,
    data: DataConfig = DATA,
    report: Reporter | None = None,
    **settings: Sequence[str] | str,
) -> Part:
    """Prepare one folder; `settings` are those of its `ProjectConfig`."""
    project = ProjectConfig.model_validate({"source": str(folder), **settings})
    with open_source(project.source, project.ref) as source:
        return prepare_part(project, source, tokenizer, data, report or SilentReporter())


def dataset_of(
    parts: Sequence[Part],
    tokenizer: CodeTokenizer,
    data: DataConfig = DATA,
    evaluation: EvaluationConfig = EVALUATION,
    report: Reporter | None = None,
) -> Dataset:
    """Combine parts in the catalog and the datasets of the present home."""
    with open_catalog() as catalog:
        return combine(parts, tokenizer, data, evaluation, catalog, paths.datasets(), report or SilentReporter())


def split_of(manifest: Manifest) -> dict[str, str]:
    """Where each kept file went, by path."""
    return {file.path: file.split for file in manifest.files}
