"""A directory that a person names for a result: refused when something is there, filled aside, then renamed."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from duotune import paths
from duotune.config.resolve import expanded
from duotune.errors import StorageError, UsageError, is_full, printable
from duotune.sizes import in_bytes
from duotune.storage.local import settle

DRAFT = ".duotune-draft"
"""End of the name of what is not whole yet."""
LEAST_MARGIN_BYTES, MOST_MARGIN_BYTES = 10**6, 64 * 10**6
"""What a disk must have beside the result itself: a twentieth of it, within these bounds."""
_under_way: set[Path] = set()
FREE_IT = "Free some space there, or choose another directory."


def checked_target(directory: str | Path) -> Path:
    """The absolute directory, if a result may appear there: nothing is there yet, or an empty directory.

    Raises:
        UsageError: Something is there, it is no usable name, or it is among duotune's own files.
        StorageError: Nothing may be written there.
    """
    target = _absolute(directory)
    shown = printable(target)
    with readable_errors(target):
        if _resolved(target).is_relative_to(paths.home().resolve()):
            raise UsageError(
                f"{shown} is among duotune's own files in {printable(paths.home())}.", "Choose another directory."
            )
        if target.is_symlink() or target.exists():
            _check_replaceable(target)
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir():
        raise UsageError(f"{shown} cannot be a directory: {printable(above)} is a file.", "Choose another directory.")
    if not os.access(above, os.W_OK | os.X_OK):
        raise StorageError(f"You may not write to {printable(above)}.", "Change its owner or mode, or choose another.")
    return target


def _absolute(directory: str | Path) -> Path:
    """The directory as a whole path."""
    shown = printable(directory)
    try:
        target = Path(os.path.abspath(expanded(directory)))
    except OSError as error:
        raise UsageError(f"{shown} leads nowhere: the folder you are in is gone.", "Write the whole path.") from error
    try:
        valid = b"\0" not in str(target).encode()
    except UnicodeEncodeError:
        valid = False
    if not valid:
        raise UsageError(f"{shown} cannot be recorded: its name is not text in UTF-8.", "Choose another directory.")
    return target


def _resolved(target: Path) -> Path:
    try:
        return target.resolve()
    except RuntimeError as error:
        raise UsageError(
            f"{printable(target)} leads round in a circle of links.", "Choose another directory."
        ) from error


def _check_replaceable(target: Path) -> None:
    """Refuse what is there, unless it is an empty directory that a rename can replace."""
    shown = printable(target)
    if not target.is_dir() or target.is_symlink():
        raise UsageError(f"{shown} is there already, and is no directory.", "Choose another name.")
    if any(target.iterdir()):
        raise UsageError(
            f"{shown} is there already, and is not empty.",
            "Nothing is overwritten: choose another directory, or remove that one.",
        )
    inside = f"Name a new folder inside it, such as {shown}/new."
    if os.path.ismount(target):
        raise UsageError(f"{shown} is where a disk is mounted, which cannot be replaced.", inside)
    if os.path.samestat(target.stat(), os.stat(".")):
        raise UsageError(f"{shown} is the folder you are in, which would be replaced by another.", inside)


def free_bytes(target: Path) -> int:
    """Free bytes for this user where the target will be."""
    above = next(parent for parent in target.parents if parent.exists())
    found = os.statvfs(above)
    return found.f_bavail * found.f_frsize


def check_room(target: Path, needed: int, remedy: str = FREE_IT) -> None:
    """Refuse what cannot fit.

    Raises:
        StorageError: The disk of the target has less free than `needed` bytes and a margin.
    """
    free = free_bytes(target)
    if free < needed + min(max(needed // 20, LEAST_MARGIN_BYTES), MOST_MARGIN_BYTES):
        raise StorageError(
            f"There is no room for {printable(target)}: it takes {in_bytes(needed)} and a margin, and "
            f"{in_bytes(free)} are free.",
            remedy,
        )


@contextmanager
def drafting(target: Path, remedy: str = FREE_IT) -> Iterator[Path]:
    """A hidden directory beside the target for what shall become it; it is gone when the block ends, also by an error.

    A process that is killed, or an app that is left meanwhile, leaves it: the next attempt there deletes it first, as
    `clear_draft` does. Parents of the target are made.

    Args:
        target: Where the result will be.
        remedy: What to do about a full disk.

    Raises:
        UsageError: Another process is writing to that target, or what has the draft's name is not ours.
        StorageError: The disk refuses.
    """
    draft = _draft_of(target)
    with readable_errors(target, remedy):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _ours(draft, target)
        _under_way.add(target)
        try:
            yield draft
        finally:
            _under_way.discard(target)
            with suppress(OSError):
                _empty(descriptor)
                draft.rmdir()
            os.close(descriptor)


def unfinished() -> list[tuple[Path, Path]]:
    """Targets that this process is writing to, each with what would be left beside it if the process ended now."""
    return [(target, _draft_of(target)) for target in sorted(_under_way)]


def clear_draft(target: Path) -> Path | None:
    """Delete what a killed process left beside a target, unless another one is at it, or it is not ours.

    Returns:
        What is left all the same; None without anything.
    """
    draft = _draft_of(target)
    with suppress(UsageError, StorageError), readable_errors(target):
        if stat.S_ISDIR(draft.lstat().st_mode):
            with drafting(target):
                pass
    return draft if os.path.lexists(draft) else None


def place(whole: Path, target: Path) -> None:
    """Make a finished directory of a draft durable, and give it the target's name.

    Raises:
        StorageError: Something is there by now.
    """
    with readable_errors(target):
        if target.is_dir() and not target.is_symlink():
            target.rmdir()  # fails when it is not empty
        settle(whole, target)


@contextmanager
def readable_errors(target: Path, remedy: str = FREE_IT) -> Iterator[None]:
    """Tell in a sentence what the disk refuses for the target.

    Raises:
        StorageError: Whatever it was.
    """
    try:
        yield
    except OSError as error:
        raise _refusal(target, error, remedy) from error


def _refusal(target: Path, error: OSError, remedy: str) -> StorageError:
    shown = printable(target)
    if is_full(error):
        return StorageError(f"No space is left for {shown}.", remedy)
    if error.filename is not None and not Path(os.fsdecode(error.filename)).is_relative_to(target.parent):
        return StorageError(
            f"{printable(error.filename)} cannot be used: {error.strerror}.", "Check its owner and disk."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return StorageError(f"You may not write to {shown}.", "Change its owner or mode, or choose another.")
    if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
        return StorageError(f"Something has appeared at {shown} meanwhile.", "Choose another directory.")
    return StorageError(f"{shown} cannot be written: {error.strerror}.", "Choose another directory.")


def _draft_of(target: Path) -> Path:
    return target.with_name(f".{target.name}{DRAFT}")


def _ours(draft: Path, target: Path) -> int:
    """Take the draft's directory, empty; returns the descriptor that holds its lock, which ends with this process.

    Where others may write too, they may have put something there: a link is never followed, and neither it nor a
    directory of somebody else is emptied.
    """
    while True:
        made = _make(draft)
        try:
            descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:  # whoever had it has just deleted it
            continue
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            raise _foreign(draft) from error
        try:
            if not made and os.fstat(descriptor).st_uid != os.geteuid():
                raise _foreign(draft)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(draft, descriptor):  # else whoever had it has just deleted it
                _empty(descriptor)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise UsageError(
                f"Another process is writing to {printable(target)}.", "Wait until it has ended, or choose another."
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _make(draft: Path) -> bool:
    try:
        draft.mkdir(mode=stat.S_IRWXU)
    except FileExistsError:
        return False
    return True


def _foreign(draft: Path) -> UsageError:
    return UsageError(
        f"{printable(draft)} is in the way: it is not a directory of yours.", "Have it removed, or choose another."
    )


def _is(path: Path, descriptor: int) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    opened = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)


def _empty(descriptor: int) -> None:
    """Delete all that an open directory holds, also where modes forbid writing, and whatever its path leads to by now.

    Raises:
        OSError: Something cannot be deleted.
    """
    for *_, inside in os.fwalk(".", dir_fd=descriptor):
        os.fchmod(inside, stat.S_IMODE(os.fstat(inside).st_mode) | stat.S_IRWXU)
    for _, directories, files, inside in os.fwalk(".", topdown=False, dir_fd=descriptor):
        for name in files:
            os.unlink(name, dir_fd=inside)
        for name in directories:
            try:
                os.rmdir(name, dir_fd=inside)
            except NotADirectoryError:  # a link to one
                os.unlink(name, dir_fd=inside)
