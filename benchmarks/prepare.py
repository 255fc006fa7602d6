"""How fast source becomes training rows: duotune's whole preparation, its stages, its second run, and a peer's path.

    python benchmarks/prepare.py                       30 MB of installed packages, 5 interleaved pairs
    python benchmarks/prepare.py --megabytes 300 --pairs 0     the peak of memory at another size

The peer is what a script without duotune does: `datasets.map` over the tokenizer of transformers, then TRL's
`pack_dataset` (best fit decreasing, long documents split), then `save_to_disk`. It gets the texts that duotune kept,
and does no more than tokenize and pack them; duotune's side of that ratio is the CPU time of the same two steps of a
preparation whose only recipe is plain code. CPU time is that of the process and its children, so that cores do not
count. Needs the extra `bench` for the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEGABYTE = 1_000_000
SUFFIXES = (".py", ".pyi", ".c", ".h", ".hpp", ".cpp", ".js", ".ts")
SEQUENCE_LENGTH = 2048


class StageClock:
    """A reporter that sums CPU seconds by phase, the project's name left out."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._last = cpu_seconds()
        self.stop_requested = False

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        """Charge the time since the last call to the phase; steps that are named by number keep it."""
        name = f"{phase} {done}/{total}" if unit == "steps" else phase.split()[0]
        now = cpu_seconds()
        self.seconds[name] += now - self._last
        self._last = now

    def warning(self, message: str) -> None:
        """Say it on standard error."""
        print(message, file=sys.stderr)

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **named: None


def cpu_seconds() -> float:
    """CPU seconds of this process and of its finished children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_mib() -> float:
    """Peak memory in MiB of the larger of this process and its largest child."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(one).ru_maxrss for one in who) / 1024


def collect(target: Path, megabytes: float) -> int:
    """Copy source of the standard library and of installed packages, as five projects; returns bytes."""
    copied = 0
    for project, file, relative in source_files():
        size = file.stat().st_size
        if copied + size > megabytes * MEGABYTE:
            break
        goal = target / project / relative
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, goal)
        copied += size
    return copied


def source_files() -> Iterator[tuple[str, Path, Path]]:
    """Project, file and path in the project: a package, or a module, is always in the same one of five projects."""
    library, packages = (Path(sysconfig.get_paths()[name]) for name in ("stdlib", "purelib"))
    for number, root in enumerate([library, packages]):
        for file in sorted(root.rglob("*")):
            relative = file.relative_to(root)
            if file.suffix not in SUFFIXES or not file.is_file() or (number == 0 and "site-packages" in relative.parts):
                continue
            yield f"project-{sum(relative.parts[0].encode()) % 5 + 1}", file, relative


def prepare(corpus: Path, *, code_only: bool, processes: int = 1) -> dict[str, Any]:
    """One preparation of every project of a corpus and their combination, in this process or in helpers of it."""
    from duotune import paths
    from duotune.catalog.catalog import open_catalog
    from duotune.config.evaluation import EvaluationConfig
    from duotune.config.run import DataConfig, ProjectConfig, Recipes
    from duotune.data.combine import combine
    from duotune.data.prepare import prepare_part
    from duotune.data.shards import Shards
    from duotune.models.tokenizer import load_tokenizer
    from duotune.sources.open import open_source

    recipes = Recipes(**{name: float(name == "code") for name in Recipes.model_fields}) if code_only else Recipes()
    data = DataConfig(sequence_length=SEQUENCE_LENGTH, recipes=recipes)
    tokenizer = load_tokenizer(paths.bundled_tiny_model())
    clock = StageClock()
    started, wall = cpu_seconds(), time.monotonic()
    parts = []
    with Shards(processes) as shards:
        for folder in sorted(corpus.iterdir()):
            project = ProjectConfig(source=str(folder))
            with open_source(project.source, project.ref) as source:
                parts.append(prepare_part(project, source, tokenizer, data, clock, shards))
        with open_catalog() as catalog:
            dataset = combine(parts, tokenizer, data, EvaluationConfig(), catalog, paths.datasets(), clock, shards)
    return {
        "cpu": cpu_seconds() - started,
        "wall": time.monotonic() - wall,
        "peak_mib": peak_mib(),
        "tokens": dataset.train_tokens,
        "stages": dict(clock.seconds),
        "dataset": str(dataset.directory),
        "parts": [str(part.directory) for part in parts],
    }


def peer(parts: list[str]) -> dict[str, Any]:
    """Tokenize and pack the texts of the parts with datasets and TRL."""
    from datasets import Dataset, disable_progress_bars
    from transformers import AutoTokenizer
    from trl.data_utils import pack_dataset

    from duotune import paths
    from duotune.data.part_files import TEXTS_FILE, Texts
    from duotune.data.parts import read_record

    disable_progress_bars()
    texts = []
    for part in map(Path, parts):
        stored = Texts(part / TEXTS_FILE)
        texts += [stored.text(row) for row, file in enumerate(read_record(part).files) if file.repeats is None]
    tokenizer = AutoTokenizer.from_pretrained(paths.bundled_tiny_model())
    end = tokenizer.eos_token
    with tempfile.TemporaryDirectory() as folder:
        started = cpu_seconds()
        dataset = Dataset.from_dict({"text": texts})
        dataset = dataset.map(
            lambda rows: {"input_ids": tokenizer([text + end for text in rows["text"]])["input_ids"]},
            batched=True,
            remove_columns=["text"],
        )
        packed = pack_dataset(dataset, SEQUENCE_LENGTH, strategy="bfd_split")
        packed.save_to_disk(folder)
        return {"cpu": cpu_seconds() - started, "tokens": sum(map(len, packed["input_ids"]))}


def child(task: str, corpus: Path, home: Path, processes: int = 1) -> dict[str, Any]:
    """Run one task in a fresh process with a home of its own."""
    command = [sys.executable, __file__, "--task", task, "--corpus", str(corpus), "--processes", str(processes)]
    environment = {**os.environ, "DUOTUNE_HOME": str(home), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def tokenize_and_pack(result: dict[str, Any]) -> float:
    """CPU seconds of a preparation's tokenizing and packing."""
    stages: dict[str, float] = result["stages"]
    return sum(seconds for name, seconds in stages.items() if name.startswith(("tokenize", "pack", "combine 3/")))


def main() -> None:
    """Run the benchmark, print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=30, help="how much source (default 30)")
    parser.add_argument("--pairs", type=int, default=5, help="interleaved pairs with the peer (default 5)")
    parser.add_argument("--processes", type=int, default=1, help="of the first preparation (default 1)")
    parser.add_argument("--task", choices=("full", "code", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task == "peer":
        print(json.dumps(peer(json.loads(options.corpus.read_text()))))
    elif options.task:
        print(json.dumps(prepare(options.corpus, code_only=options.task == "code", processes=options.processes)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), options.megabytes, options.pairs, options.processes)


def compare(folder: Path, megabytes: float, pairs: int, processes: int) -> None:
    """Measure everything in fresh processes and print it."""
    corpus = folder / "corpus"
    size = collect(corpus, megabytes) / MEGABYTE
    first = child("full", corpus, folder / "home", processes)
    second = child("full", corpus, folder / "home")
    print(f"{size:.1f} MB in {len(list(corpus.iterdir()))} projects, {first['tokens']:,} training tokens\n")
    print(f"{'stage':<16}{'CPU seconds':>12}{'MB/s':>8}")
    for name, seconds in sorted(first["stages"].items(), key=lambda item: -item[1]):
        print(f"{name:<16}{seconds:>12.2f}{size / max(seconds, 1e-9):>8.1f}")
    print(f"{'all':<16}{first['cpu']:>12.2f}{size / first['cpu']:>8.2f}   wall {first['wall']:.1f} s")
    print(f"{'unchanged':<16}{second['cpu']:>12.2f}{'':>8}   {second['cpu'] / first['cpu']:.1%} of the first\n")
    ratios = [_pair(folder, corpus, number) for number in range(pairs)]
    for ours, theirs in ratios:
        print(f"tokenize and pack: duotune {ours:.2f} s, datasets + TRL {theirs:.2f} s, ratio {theirs / ours:.2f}")
    summary = {
        "mb_per_core_second": round(size / first["cpu"], 3),
        "tokenize_pack_ratio": round(statistics.median(b / a for a, b in ratios), 2) if ratios else None,
        "unchanged_share": round(second["cpu"] / first["cpu"], 4),
        "peak_mib": round(first["peak_mib"]),
    }
    print(json.dumps(summary))


def _pair(folder: Path, corpus: Path, number: int) -> tuple[float, float]:
    """CPU seconds of tokenizing and packing, duotune's and the peer's; who goes first changes with each pair."""
    home = folder / f"pair-{number}"
    ours = child("code", corpus, home)
    listing = folder / "parts.json"
    listing.write_text(json.dumps(ours["parts"]))
    theirs = child("peer", listing, home)
    shutil.rmtree(home)
    return tokenize_and_pack(ours), theirs["cpu"]


if __name__ == "__main__":
    main()
