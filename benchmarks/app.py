"""The app on a real terminal: its first paint against a minimal Textual app, and what watching a run costs.

    python benchmarks/app.py [--pairs 7] [--seconds 60]

First paint: from the start of the process until the first words stand on an 80x24 pseudo-terminal, median of pairs
that are started in turn. Watching: bytes to the terminal per second, and the share of one core that the app takes,
while a run of the journal's usual pace (one measured step a second) is on the screen. Idle: the same for home, where
nothing changes. Ends with one JSON line.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import MetricsMeasured, ProgressMade, RunStarted, StageStarted
from duotune.runs.journal import Journal
from duotune.runs.lock import try_lock
from support.runs import run_config
from support.terminal import Terminal

MINIMAL = """
from textual.app import App
from textual.widgets import Footer, Static

class Minimal(App):
    def compose(self):
        yield Static("the first words")
        yield Footer()

Minimal().run()
"""
STEPS = 5_000
SETTLE_SECONDS = 8.0


def main() -> None:
    """Measure, print a table and the JSON line."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DUOTUNE_HOME": f"{folder}/home", "DUOTUNE_HOST_CONFIG": f"{folder}/host.toml"}
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/config"
        pairs = [(_first_paint(duotune_command(), "duotune"), _first_paint(minimal_command(), "the first words"))]
        pairs += [
            (_first_paint(duotune_command(), "duotune"), _first_paint(minimal_command(), "the first words"))
            for _ in range(arguments.pairs)
        ]
        ours, theirs = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
        idle = _watch(arguments.seconds, None)
        watching = _watch(arguments.seconds, create_run(run_config("watched")))
    figures = {
        "first_paint_seconds": ours,
        "minimal_first_paint_seconds": theirs,
        "first_paint_ratio": ours / theirs,
        "bytes_per_second": watching[0],
        "cpu_share_watching": watching[1],
        "bytes_per_second_idle": idle[0],
        "cpu_share_idle": idle[1],
    }
    for name, value in figures.items():
        print(f"{name:28} {value:.4f}")
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


def duotune_command() -> list[str]:
    """The app."""
    return [sys.executable, "-m", "duotune"]


def minimal_command() -> list[str]:
    """The least that Textual can show."""
    return [sys.executable, "-c", MINIMAL]


def _first_paint(command: list[str], words: str) -> float:
    begun = time.perf_counter()
    terminal = Terminal(command)
    try:
        terminal.wait_for(words)
        return time.perf_counter() - begun
    finally:
        terminal.close()


def _watch(seconds: float, run: RunDirectory | None) -> tuple[float, float]:
    """Bytes per second to the terminal, and the share of a core."""
    stop = threading.Event()
    worker = threading.Thread(target=_work, args=(run, stop)) if run else None
    if worker:
        worker.start()
        time.sleep(1)
    terminal = Terminal(duotune_command())
    try:
        terminal.wait_for("duotune")
        _drain(terminal, SETTLE_SECONDS)
        process = psutil.Process(terminal.process.pid)
        before, length, begun = process.cpu_times(), len(terminal.output), time.perf_counter()
        _drain(terminal, seconds)
        after, elapsed = process.cpu_times(), time.perf_counter() - begun
        used = after.user + after.system - before.user - before.system
        return (len(terminal.output) - length) / elapsed, used / elapsed
    finally:
        terminal.close()
        stop.set()
        if worker:
            worker.join()


def _drain(terminal: Terminal, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        terminal.read(left)


def _work(run: RunDirectory, stop: threading.Event) -> None:
    """Hold the run's lock and write its journal, as its worker does."""
    lock = try_lock(run.lock_file)
    assert lock is not None
    with lock, Journal(run.journal_file) as journal:
        journal.append(RunStarted(pid=os.getpid(), process_start=1, attempt=1))
        journal.append(StageStarted(stage="train"))
        for step in range(1, STEPS):
            loss = 2 + math.exp(-step / 60) + 0.05 * math.sin(step * 1.7)
            values = {"loss": loss, "learning_rate": 2e-4 * (1 - step / STEPS), "tokens_per_second": 900.0 + step % 7}
            if step % 20 == 0:
                values["validation_loss"] = loss + 0.1
            journal.append(MetricsMeasured(step=step, values=values))
            journal.append(ProgressMade(phase="steps", done=step, total=STEPS, unit="steps"))
            if step > 300 and stop.wait(1.0):  # the first ones are there when the app opens
                return


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    main()
