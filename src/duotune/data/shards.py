"""Work spread over processes: a function over many items, answers in the order of the items.

Helper processes are plain children with pipes. They need no semaphores and no shared memory, which containers lack;
they are never forked from a process with threads; and they import `duotune` and nothing of the program that started
them. Whatever runs there must give the same answer here: results never depend on how many processes there are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, TypeVar, cast

from duotune.data.shard import GROUP_SIGNALS, Failure, Order, receive, send
from duotune.errors import HostError

WORTH_BYTES = 6_000_000
"""Less source is prepared sooner by one process than helpers start."""
_WAITING = 2
_START = "from duotune.data.shard import main; main()"

log = logging.getLogger("duotune.worker")

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


def usable_cpus() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Shards:
    """Helper processes, started when there is enough to do and ended with the block.

    Args:
        processes: How many; fewer than two means that all is done in this process.
        worth_bytes: How much work starts them; once they run, they get all of it.
    """

    def __init__(self, processes: int, worth_bytes: int = WORTH_BYTES) -> None:
        self._wanted = processes
        self._worth_bytes = worth_bytes
        self._all: list[_Helper] = []
        self._idle: SimpleQueue[_Helper] = SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def process_ids(self) -> list[int]:
        """Ids of the helper processes."""
        return [helper.process.pid for helper in self._all]

    def map(
        self, function: Callable[[S, T], R], shared: S, items: Iterable[T], size_bytes: int, here: S | None = None
    ) -> Iterator[R]:
        """The function's answer to each item, in the order of the items; few of them are taken in advance.

        Args:
            function: One of a module, called with `shared` and an item.
            shared: What it needs besides; like items and answers it is pickled for a helper.
            items: What to work on.
            size_bytes: How much work all of it is, in bytes of source.
            here: Used in the place of `shared` when this process does the work.

        Raises:
            DuotuneError: What the function raised for an item.
            HostError: A helper process ended before its time.
        """
        threads = self._started(size_bytes)
        if threads is None:
            known = shared if here is None else here
            yield from (function(known, item) for item in items)
            return
        order = pickle.dumps(Order(function, shared), protocol=pickle.HIGHEST_PROTOCOL)
        waiting: deque[Future[Any]] = deque()
        for item in items:
            waiting.append(threads.submit(self._one, order, item))
            if len(waiting) > _WAITING * len(self._all):
                yield _told(waiting.popleft().result())
        while waiting:
            yield _told(waiting.popleft().result())

    def close(self) -> None:
        """End the helpers, whatever they are at."""
        for helper in self._all:
            helper.process.kill()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        for helper in self._all:
            helper.close()
        self._all, self._idle, self._threads = [], SimpleQueue(), None

    def __enter__(self) -> Shards:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self, size_bytes: int) -> ThreadPoolExecutor | None:
        if self._threads is None and self._wanted > 1 and size_bytes >= self._worth_bytes:
            try:
                for _ in range(self._wanted):
                    self._all.append(_Helper())
            except OSError as error:
                log.warning("No helper process can be started (%s): one process does all of it.", error)
                self.close()
                self._wanted = 1
                return None
            for helper in self._all:
                self._idle.put(helper)
            self._threads = ThreadPoolExecutor(self._wanted, "shard")
        return self._threads

    def _one(self, order: bytes, item: Any) -> Any:
        helper = self._idle.get()
        try:
            return helper.ask(order, item)
        finally:
            self._idle.put(helper)


ALONE = Shards(1)
"""Everything in this process."""


class _Helper:
    """One helper process."""

    def __init__(self) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        # Each helper has one core, and finds modules where this process does.
        environment = os.environ | {
            "PYTHONPATH": paths,
            "OMP_NUM_THREADS": "1",
            "RAYON_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        command = [sys.executable, "-P", "-c", _START, str(os.getpid())]
        # It inherits the mask: no signal to the whole group ends it before it has learned to ignore them.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, GROUP_SIGNALS)
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self._questions = cast(IO[bytes], self.process.stdin)
        self._answers = cast(IO[bytes], self.process.stdout)
        self._order = b""

    def ask(self, order: bytes, item: Any) -> Any:
        """The answer to one item."""
        try:
            if self._order != order:
                send(self._questions, order)
                self._order = order
            send(self._questions, pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL))
            content = receive(self._answers)
        except BrokenPipeError:
            content = None
        if content is None:
            raise HostError(
                f"A helper process of the preparation ended before its time (exit status {self.process.wait()}).",
                "If the host's memory was used up, free some; then `duotune resume` goes on.",
            )
        return pickle.loads(content)

    def close(self) -> None:
        """Wait for its end and close its pipes."""
        for stream in (self._questions, self._answers):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self.process.wait()


def _told(answer: Any) -> Any:
    """The answer, or the error that it tells of, raised."""
    if not isinstance(answer, Failure):
        return answer
    if answer.kind is None:
        raise RuntimeError(f"a helper process of the preparation failed:\n{answer.message}")
    raise answer.kind(answer.message, answer.hint)
