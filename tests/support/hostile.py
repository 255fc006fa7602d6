"""Repositories that want to run something."""

from __future__ import annotations

from pathlib import Path

from support.repositories import git


def make_trap(place: Path) -> Path:
    """A program that leaves the mark `sprung` beside itself when it runs."""
    program = place / "trap.sh"
    program.write_text(f'#!/bin/sh\ntouch "{place}/sprung"\nexit 1\n')
    program.chmod(0o755)
    return program


def set_traps(folder: Path, trap: Path) -> None:
    """Name a program wherever a repository's own configuration can."""
    hooks = folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        (hooks / hook).symlink_to(trap)
    settings = {
        "core.fsmonitor": trap,
        "core.sshCommand": trap,
        "core.gitProxy": trap,
        "core.pager": trap,
        "core.editor": trap,
        "core.askPass": trap,
        "core.hooksPath": hooks,
        "core.alternateRefsCommand": trap,
        "core.worktree": "/",
        "pager.ls-tree": trap,
        "pager.rev-parse": trap,
        "alias.ls-tree": f"!{trap}",
        "alias.cat-file": f"!{trap}",
        "alias.rev-parse": f"!{trap}",
        "diff.external": trap,
        "diff.evil.textconv": trap,
        "filter.evil.smudge": trap,
        "filter.evil.clean": trap,
        "filter.evil.process": trap,
        "credential.helper": f"!{trap}",
        "gpg.program": trap,
        "uploadpack.packObjectsHook": trap,
        "trace2.eventTarget": folder / "trace",
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::{trap}",
        "remote.origin.uploadpack": trap,
    }
    for key, value in settings.items():
        git(folder, "config", "--file", str(folder / ".git" / "config"), key, str(value))
    git(folder, "config", "--file", str(folder / ".git" / "config"), "core.repositoryformatversion", "1")
