"""Opens what a project's `source` names: a folder, a Git repository on disk, or a Git URL."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from duotune.config.resolve import expanded
from duotune.errors import SourceError, printable
from duotune.sources.folder import FolderSource
from duotune.sources.git import find_git_directory
from duotune.sources.mirror import needs_mirror, update_mirror
from duotune.sources.repository import GitSource
from duotune.sources.source import Progress, Source


def open_source(source: str, ref: str = "HEAD", on_progress: Progress | None = None) -> Source:
    """Open a source, pinned.

    A folder that is the top of a Git work tree, or a bare repository, is read at the commit of `ref`: what is
    committed counts, not what lies in the work tree. Any other folder, also one inside a work tree, is read as it is.
    A remote URL is mirrored first; a full commit id that the mirror has needs no network.

    Args:
        source: Folder, repository on disk, or URL (`file://`, `https://`, `http://`, `ssh://`, `user@host:path`).
        ref: Branch, tag or commit; only "HEAD" for a plain folder.
        on_progress: Called while a remote repository is fetched.

    Raises:
        SourceError: The source is missing, empty, unreadable, without commits, or does not have the ref.
        HostError: git is missing, or the remote host does not answer.
    """
    if needs_mirror(source):
        mirror = update_mirror(source, ref, on_progress)
        return GitSource(mirror, source, ref)
    folder = _folder(source)
    try:
        repository = find_git_directory(folder)
        if repository is not None:
            return GitSource(repository, source, ref)
    except OSError as error:
        raise SourceError(
            f"The Git repository {printable(source)} cannot be read: {error.strerror}.",
            "Check its permissions, and that there is space for temporary files.",
        ) from error
    if ref != "HEAD":
        raise SourceError(
            f"{printable(source)} is a plain folder without Git history, so it has no ref `{printable(ref)}`.",
            "Leave `ref` out, or name a Git repository.",
        )
    return FolderSource(folder, source)


def _folder(source: str) -> Path:
    """The existing, readable, non-empty directory that a path or a file:// URL names."""
    shown = printable(source)
    if not source.strip() or "\0" in source:
        raise SourceError("The project's source is empty.", "Name a folder, a Git repository or a Git URL.")
    path = unquote(urlsplit(source).path) if source.lower().startswith("file://") else source
    folder = expanded(path)
    try:
        if not folder.exists():
            if folder.is_symlink():
                raise SourceError(f"{shown} is a symbolic link to nowhere.", "Correct `source`.")
            raise SourceError(f"There is no {shown}.", "Correct `source`: a folder, a Git repository or a Git URL.")
        if not folder.is_dir():
            raise SourceError(f"{shown} is a file, not a folder or repository.", "Name the folder that holds it.")
        with os.scandir(folder) as entries:
            if next(entries, None) is None:
                raise SourceError(f"The folder {shown} is empty.", "Name a folder with source code in it.")
    except PermissionError as error:
        raise SourceError(
            f"{shown} cannot be read: permission denied.", "Give the account that runs duotune read access to it."
        ) from error
    except (OSError, RuntimeError) as error:
        raise SourceError(f"{shown} cannot be read: {printable(error)}.", "Correct `source`.") from error
    return folder.resolve()
