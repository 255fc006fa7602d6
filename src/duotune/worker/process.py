"""The worker as a process: its lock, its signals, its journal, and how each ending is told."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
import traceback
from pathlib import Path

import psutil

from duotune.errors import DuotuneError, ExitCode, HostError
from duotune.runs.directory import RunDirectory
from duotune.runs.events import Event, RunFailedEvent, RunFinished, RunStarted, RunStopped
from duotune.runs.journal import Journal, read_events
from duotune.runs.lock import WorkerLock
from duotune.runs.reporter import JournalReporter, Stopped
from duotune.runs.state import fold
from duotune.worker.stages import run_stages


def work(path: Path) -> int:
    """Take a run up where its journal ends, and bring it to an end.

    Args:
        path: The run directory.

    Returns:
        The exit code of the process, as the command line documents it.
    """
    stop = _stop_on_signals()
    run = RunDirectory(path)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with WorkerLock(run.lock_file), Journal(run.journal_file) as journal:
        state = fold(read_events(run.journal_file).events)
        journal.append(
            RunStarted(
                pid=os.getpid(),
                process_start=psutil.Process().create_time(),
                attempt=state.attempts + 1,
                host=socket.gethostname(),
            )
        )
        report = JournalReporter(journal, state.decisions, stop)
        event, code = _outcome(run, report)
        report.flush()
        journal.append(event)
    return code


def _outcome(run: RunDirectory, report: JournalReporter) -> tuple[Event, int]:
    try:
        run_stages(run, report)
    except Stopped:
        return RunStopped(), ExitCode.OK
    except DuotuneError as error:
        logging.getLogger(__name__).error("%s %s", error.message, error.hint)
        return _failure(error)
    except OSError as error:
        traceback.print_exc()
        return _failure(_told(error))
    except Exception as error:  # the last line of defence: whatever it is, the journal must say so
        traceback.print_exc()
        message = f"The worker met an error that it does not know: {type(error).__name__}: {error}"
        return _failure(DuotuneError(message, f"The whole story is in `duotune logs {run.id}`; please report it."))
    return RunFinished(), ExitCode.OK


def _failure(error: DuotuneError) -> tuple[Event, int]:
    return RunFailedEvent(message=error.message, hint=error.hint, exit_code=error.exit_code), error.exit_code


def _told(error: OSError) -> HostError:
    """What the operating system refused, as a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" for {error.filename}" if error.filename else ""
        return HostError(f"No space is left on the disk{where}.", "Free some space, then `duotune resume` goes on.")
    if error.errno == errno.ENOENT and error.filename:
        return HostError(f"{error.filename} has vanished.", "Bring it back, or start the run again from its config.")
    return HostError(f"The operating system refused: {error}.", "Mend that, then `duotune resume` goes on.")


def _stop_on_signals() -> threading.Event:
    """SIGTERM and SIGINT ask for a stop at the next step; SIGHUP means only that a terminal went away."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return stop
