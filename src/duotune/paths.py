"""Where duotune keeps its state and finds the host's configuration."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM_HOME = Path("/var/lib/duotune")
SYSTEM_HOST_CONFIG = Path("/etc/duotune/duotune.toml")


def home() -> Path:
    """Directory of all state: `DUOTUNE_HOME`, the system install's, or the user's state directory.

    It is the same by whatever link it is reached: a path of it that is written for vLLM must not change with the shell.
    """
    override = os.environ.get("DUOTUNE_HOME")
    if override:
        named = Path(override).expanduser().absolute()
        return named if named == SYSTEM_HOME else named.resolve()
    if SYSTEM_HOME.is_dir() and os.access(SYSTEM_HOME, os.R_OK | os.W_OK | os.X_OK):
        return SYSTEM_HOME
    from platformdirs import user_state_path

    return user_state_path("duotune")


def host_config_file() -> Path:
    """The host's configuration: `DUOTUNE_HOST_CONFIG`, the system's file, or the user's."""
    override = os.environ.get("DUOTUNE_HOST_CONFIG")
    if override:
        return Path(override).expanduser().absolute()
    if SYSTEM_HOST_CONFIG.is_file():
        return SYSTEM_HOST_CONFIG
    from platformdirs import user_config_path

    return user_config_path("duotune") / "duotune.toml"


def runs() -> Path:
    """Run directories, one per run."""
    return home() / "runs"


def parts() -> Path:
    """Prepared parts, one per project version, tokenizer and settings."""
    return home() / "parts"


def datasets() -> Path:
    """Default location of prepared datasets."""
    return home() / "datasets"


def adapters() -> Path:
    """Default location of published adapters, and the hash-checked copies of remote ones."""
    return home() / "adapters"


def mirrors() -> Path:
    """Bare mirrors of remote Git repositories."""
    return home() / "mirrors"


def cache() -> Path:
    """What can be deleted at any time: hashes of models, probe results."""
    return home() / "cache"


def catalog() -> Path:
    """The SQLite catalog."""
    return home() / "catalog.sqlite"


def leases() -> Path:
    """Lock files of the GPU leases."""
    return home() / "leases"


def bundled_tiny_model() -> Path:
    """The small code model that ships with duotune."""
    return Path(__file__).parent / "assets" / "tiny"
