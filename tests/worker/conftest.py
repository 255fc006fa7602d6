"""Fixtures of the tests of the worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def own_signals_and_umask() -> Iterator[None]:
    """What a worker sets for its process ends with the test."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    umask = os.umask(0o022)
    yield
    os.umask(umask)
    for number, handler in before.items():
        signal.signal(number, handler)
