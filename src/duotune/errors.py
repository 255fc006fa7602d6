"""Every error that a person may see: one sentence that names the thing, and one that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


def printable(text: object) -> str:
    """Foreign text (a path, a name) as it may be shown: control characters, lone surrogates and the like escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in str(text))


class ExitCode(IntEnum):
    """Exit codes of the command line; scripts depend on them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    ENVIRONMENT = 3
    INTERRUPTED = 130


class DuotuneError(Exception):
    """Base of all expected errors; front ends print `message` and `hint` and leave with `exit_code`.

    Args:
        message: One sentence that names the thing that is wrong.
        hint: One sentence that says what to do about it.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DuotuneError):
    """The request itself cannot be carried out as it was made."""

    exit_code = ExitCode.USAGE


class HostError(DuotuneError):
    """The machine lacks something (GPU, disk, S3, systemd, vLLM); the same request may succeed later."""

    exit_code = ExitCode.ENVIRONMENT


def is_full(error: Exception) -> bool:
    """Whether the file system has no room; Arrow and safetensors give the number in their text only."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return any(number in str(error) for number in (f"[errno {errno.ENOSPC}]", f"(os error {errno.ENOSPC})"))


def no_space(path: object) -> HostError:
    """The error for a full disk under `path`."""
    return HostError(
        f"No space is left on the disk for {printable(path)}.", "Free some space, then go on with `duotune resume`."
    )


class CheckFailed(DuotuneError):
    """A check did not hold: a damaged adapter, a deployment that does not answer."""


class RunFailed(DuotuneError):
    """A run ended without its result."""


class SourceError(UsageError):
    """A project's source cannot be read: missing, empty, without commits, or outside what we may read."""


class ModelError(UsageError):
    """A base model directory is missing, incomplete, or of a kind that duotune does not know."""


class StorageError(HostError):
    """A storage location cannot be read or written."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a configuration file.

    Attributes:
        key: Dotted path of the key, such as `lora.r` or `projects[0].source`.
        value: The offending value as written, or None when the key is missing.
        reason: Why it is refused.
        suggestion: The nearest valid spelling, or an empty string.
    """

    key: str
    value: object
    reason: str
    suggestion: str = ""

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value!r}"
        suggestion = f" Did you mean `{self.suggestion}`?" if self.suggestion else ""
        return f"{self.key}{shown}: {self.reason}.{suggestion}"


class ConfigError(UsageError):
    """A configuration with one or more problems, all of them reported at once."""

    def __init__(self, file: str, problems: Sequence[Problem], hint: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"{file} has {count} problem{'s' if count != 1 else ''}:\n{listed}",
            hint or "Correct what is named above.",
        )
