"""Opens the full-screen app; imported without click, since the first paint waits for nothing that it does not need."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def can_paint() -> bool:
    """Whether all three streams are a terminal that can be painted on."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return all(stream is not None and stream.isatty() for stream in streams) and os.environ.get("TERM", "") not in (
        "",
        "dumb",
    )


def open_app() -> NoReturn:
    """Run the app, and end the process with it: threads that still read must not keep the terminal."""
    gc.disable()  # the app collects again when it has painted: until then there are only imports
    from duotune.app import main

    code = main()
    sys.stdout.flush()
    os._exit(code)
