"""A helper process of `shards`: takes work from standard input, and answers on standard output.

It ends when its standard input does, which is when the process that started it ends, however that came about.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from duotune.errors import DuotuneError

LENGTH = struct.Struct("<Q")
GROUP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Meant for the process that started this one, which decides when work ends; blocked until they are ignored here."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Order:
    """What to do with all items up to the next order.

    Attributes:
        function: Called with `shared` and an item.
        shared: What it needs besides, made once.
    """

    function: Callable[[Any, Any], Any]
    shared: Any


@dataclass(frozen=True)
class Failure:
    """What went wrong with an item.

    Attributes:
        kind: The class of an expected error, None for any other exception.
        message: Of the error, or the whole traceback.
        hint: Of the error.
    """

    kind: type[DuotuneError] | None
    message: str
    hint: str = ""


def send(stream: IO[bytes], content: bytes) -> None:
    """Write one message."""
    stream.write(LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one message; None where the stream ends."""
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    content = stream.read(length)
    return content if len(content) == length else None


def main() -> None:
    """Work until standard input ends; the one argument is the id of the process that started this one."""
    _die_with_parent()
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    order: Order | None = None
    while (content := receive(source)) is not None:
        message = pickle.loads(content)
        if isinstance(message, Order):
            order = message
        elif order is not None:
            send(target, pickle.dumps(_answer(order, message), protocol=pickle.HIGHEST_PROTOCOL))


def _answer(order: Order, item: Any) -> Any:
    try:
        return order.function(order.shared, item)
    except DuotuneError as error:
        return Failure(type(error), error.message, error.hint)
    except Exception:
        return Failure(None, traceback.format_exc())


def _die_with_parent() -> None:
    """Also while it computes; elsewhere than on Linux it ends with the item that it has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before the system was told to watch it.
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
