"""How long the app keeps a key waiting while the monitor reads the journal of a long run.

    python benchmarks/replay.py [--lines 90000]

A task on the event loop wakes every two milliseconds; the longest time between two awakenings while the journal is
read is the longest that a key would have waited before it was looked at. The same without a journal is the machine's
own share. Ends with one JSON line (`lines, seconds, longest_pause_ms, p99_pause_ms, longest_pause_idle_ms`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from duotune.app import DuotuneApp
from duotune.runs.directory import RunDirectory
from duotune.runs.events import ProgressMade
from duotune.screens import ways
from duotune.screens.monitor.screen import Monitor
from support.app import Session
from support.watched import measured, training_run, worked_on

BEAT_SECONDS = 0.002


def main() -> None:
    """Measure, print a table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=90_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DUOTUNE_HOME": f"{folder}/home", "DUOTUNE_HOST_CONFIG": f"{folder}/host.toml"}
        run = long_run(lines)
        with worked_on(run):
            found = asyncio.run(replay(run))
    for name, figure in found.items():
        print(f"{name:24} {figure}")
    print(json.dumps({"lines": lines, **found}))


def long_run(lines: int) -> RunDirectory:
    """A run whose journal has so many lines."""
    steps = lines // 2
    run = training_run(steps=1, of=steps)
    with run.journal_file.open("a") as journal:
        for step in range(2, steps + 1):
            at = {"ts": time.time() + step, "seq": 2 * step}
            journal.write(measured(step).model_copy(update=at).model_dump_json() + "\n")
            made = ProgressMade(phase="train", done=step, total=steps, unit="steps").model_copy(update=at)
            journal.write(made.model_dump_json() + "\n")
    return run


async def replay(run: RunDirectory) -> dict[str, float]:
    """Open the run in the app and watch the event loop until the journal is read."""
    app = DuotuneApp(land_on_run=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await Session(pilot).settle()
        pauses: list[float] = []
        task = asyncio.create_task(beat(pauses))
        await asyncio.sleep(2.0)
        idle = max(pauses)
        ways.open_run(app, run.id)
        await pilot.pause()
        monitor = app.screen
        assert isinstance(monitor, Monitor)
        pauses.clear()  # making the screen is no reading
        started = time.perf_counter()
        while monitor.seen is None:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        task.cancel()
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "longest_pause_ms": _ms(max(pauses)),
        "p99_pause_ms": _ms(sorted(pauses)[int(0.99 * len(pauses))]),
        "longest_pause_idle_ms": _ms(idle),
    }


async def beat(pauses: list[float]) -> None:
    """Note the time between two awakenings."""
    last = time.perf_counter()
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        now = time.perf_counter()
        pauses.append(now - last)
        last = now


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 1)


if __name__ == "__main__":
    main()
