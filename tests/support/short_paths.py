"""Folders with a short path, however deep the tests' own lie: a unix socket's path has but some hundred bytes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def short_folder() -> Path:
    """A new folder right below the one for temporary files; it goes when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="duotune-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
