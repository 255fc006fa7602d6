"""Keyed fingerprints of findings: they tell one value from another, and nobody without the key what it is."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from duotune import paths
from duotune.errors import HostError, printable

KEY_FILE = "findings.key"
KEY_BYTES = 32
_FINGERPRINT_CHARACTERS = 32
_SHARED = stat.S_IWGRP | stat.S_ISGID


class Fingerprints:
    """Fingerprints of values.

    A plain hash of a weak password could be looked up; the key makes that impossible for those who see only a report.

    Args:
        key: `KEY_BYTES` random bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def unkept(cls) -> Fingerprints:
        """Fingerprints that nobody stores or compares, by a key that is thrown away."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def key_id(self) -> str:
        """What tells this key from another, and nothing else of it: the fingerprint of no value."""
        return self.of("")

    def of(self, value: str) -> str:
        """HMAC-SHA-256 of a value in UTF-8, 32 hexadecimal digits of it."""
        return hmac.digest(self._key, value.encode("utf-8", "surrogatepass"), "sha256").hex()[:_FINGERPRINT_CHARACTERS]


def fingerprints() -> Fingerprints:
    """Those of this host, whose key is made when it is first needed.

    Raises:
        HostError: The key cannot be read or written, or is damaged.
    """
    file = paths.home() / KEY_FILE
    try:
        key = _read(file) or _make(file)
        _follow(file)
    except OSError as error:
        raise HostError(
            f"The key for fingerprints of findings in {printable(file)} cannot be used: {error.strerror or error}.",
            "Check the permissions there, or set DUOTUNE_HOME to another place.",
        ) from error
    if len(key) != KEY_BYTES:
        raise HostError(
            f"The key for fingerprints of findings in {printable(file)} is damaged.",
            "Remove that file; a new key is made, and fingerprints of earlier reports no longer compare with new ones.",
        )
    return Fingerprints(key)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _mode(home: Path) -> int:
    """The key's permissions: its owner's alone, unless a group shares the home and so needs the key to prepare."""
    mode = home.stat().st_mode
    return 0o640 if mode & stat.S_IRGRP and mode & _SHARED else 0o600


def _follow(file: Path) -> None:
    """Let the permissions of the owner's key follow those of the home, which may have changed since."""
    now, wanted = file.stat(), _mode(file.parent)
    if now.st_uid == os.geteuid() and stat.S_IMODE(now.st_mode) != wanted:
        file.chmod(wanted)


def _make(file: Path) -> bytes:
    """Write a new key whole or not at all; of several processes that do so the first one's stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, _mode(file.parent))
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
    return file.read_bytes()
