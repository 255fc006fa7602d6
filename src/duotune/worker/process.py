"""The worker as a process: its lock, its signals, its journal, and how each ending is told."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import threading
import traceback
import warnings
from pathlib import Path

from duotune.errors import DuotuneError, ExitCode, HostError, is_full, no_space, printable
from duotune.runs.directory import RunDirectory
from duotune.runs.events import Event, RunFailedEvent, RunFinished, RunStarted, RunStopped
from duotune.runs.fold import fold
from duotune.runs.journal import Journal, read_events
from duotune.runs.lock import Owner, try_lock
from duotune.runs.reporter import JournalReporter, Stopped
from duotune.runs.systemd import is_stopping, worker_unit
from duotune.worker.stages import RunInProgress, run_stages

BY_SYSTEMD = (
    "systemd stopped this run, not `duotune stop`: somebody stopped its service, or started vLLM, which could not "
    "serve during the run and has the GPU now."
)
log = logging.getLogger("duotune.worker")


def work(path: Path) -> int:
    """Take a run up where its journal ends, and bring it to an end.

    Args:
        path: The run directory.

    Returns:
        The exit code of the process, as the command line documents it.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.captureWarnings(True)
    warnings.filterwarnings("ignore", category=FutureWarning)  # what libraries tell their own developers
    stop = _stop_on_signals()
    directory = RunDirectory(path)
    lock = try_lock(directory.lock_file)
    if lock is None:
        log.error("Another worker has this run: %s", directory.id)
        return ExitCode.FAILED
    with lock, Journal(directory.journal_file) as journal:
        state = fold(read_events(directory.journal_file).events)
        journal.append(_started(state.attempts + 1))
        report = JournalReporter(journal, state.decisions, stop)
        event, code = _outcome(RunInProgress(directory, journal, report, state))
        with contextlib.suppress(HostError):  # on a full disk the last word matters more than what was held back
            report.flush()
        journal.append(event)
    log.info("Ended: %s", event.type)
    return code


def _started(attempt: int) -> RunStarted:
    me = Owner.this_process()
    return RunStarted(pid=me.pid, process_start=me.process_start, attempt=attempt, host=me.host)


def _outcome(run: RunInProgress) -> tuple[Event, int]:
    try:
        run_stages(run)
    except Stopped:
        if is_stopping(worker_unit(run.directory.id)):
            run.report.warning(BY_SYSTEMD)
        return RunStopped(), ExitCode.OK
    except DuotuneError as error:
        log.error("%s %s", error.message, error.hint)
        return _failure(error)
    except OSError as error:
        traceback.print_exc()
        return _failure(_told(error))
    except MemoryError:
        traceback.print_exc()
        return _failure(HostError("The host's memory is used up.", "Lower the batch size or the sequence length."))
    except Exception as error:  # the last line of defence: whatever it is, the journal must say so
        traceback.print_exc()
        if is_full(error):
            return _failure(no_space(run.directory.path))
        message = f"The worker met an error that it does not know: {type(error).__name__}: {printable(str(error))}"
        hint = f"The whole story is in `duotune logs {run.directory.id}`; please report it."
        return _failure(DuotuneError(message, hint))
    return RunFinished(), ExitCode.OK


def _failure(error: DuotuneError) -> tuple[Event, int]:
    return RunFailedEvent(message=error.message, hint=error.hint, exit_code=error.exit_code), error.exit_code


def _told(error: OSError) -> HostError:
    """What the operating system refused, as a sentence."""
    if is_full(error):
        return no_space(error.filename or "the run's files")
    if error.errno == errno.ENOENT and error.filename:
        vanished = f"{printable(str(error.filename))} has vanished."
        return HostError(vanished, "Bring it back, or start the run again from its config.")
    return HostError(f"The operating system refused: {error}.", "Mend that, then `duotune resume` goes on.")


def _stop_on_signals() -> threading.Event:
    """SIGTERM and SIGINT ask for a stop at the next step; SIGHUP means only that a terminal went away."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.umask(0o007)
    return stop
