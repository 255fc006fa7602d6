"""Workers that die at a chosen moment, and others that go on to the end."""

from __future__ import annotations

import signal
import subprocess
import sys

from duotune.runs.directory import RunDirectory
from duotune.runs.state import RunState
from support.workers import start_worker

# A worker that is killed by SIGKILL, by its own hand, right after it has journaled the event that is asked for. Killing
# it from outside would be as hard, but would come too late for stages that last milliseconds.
MORTAL_WORKER = """
import os, signal, sys
from pathlib import Path
from duotune.runs.journal import Journal
from duotune.worker.process import work

append = Journal.append

def append_and_die(journal, event):
    written = append(journal, event)
    if eval(sys.argv[2], {"event": written}):
        os.kill(os.getpid(), signal.SIGKILL)
    return written

Journal.append = append_and_die
sys.exit(work(Path(sys.argv[1])))
"""


def finish(run: RunDirectory) -> RunState:
    """Let a worker go on to the end."""
    code = start_worker(run).wait(timeout=240)
    assert code == 0, run.log_file.read_text()[-3000:]
    state = run.state()
    assert state.state == "finished"
    return state


def kill_at(run: RunDirectory, moment: str) -> None:
    """Work on the run until its journal shows the moment, and die there."""
    command = [sys.executable, "-c", MORTAL_WORKER, str(run.path), moment]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == -signal.SIGKILL, f"{moment} never came:\n{done.stderr[-3000:]}"
