"""What there is to train on, as tables of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from duotune.cli.output import plain_table, show
from duotune.runs.funnel import FUNNEL_WORDS, TOKENS, Amount, Funnel
from duotune.runs.wording import counted, in_bytes

_MOST_TYPES = 12
_MOST_REASONS = 8

Counts = Mapping[str, tuple[int, int]]


def summed(counts: Iterable[Counts]) -> dict[str, tuple[int, int]]:
    """Files and bytes by name over several projects, most bytes first."""
    total: dict[str, tuple[int, int]] = {}
    for one in counts:
        for name, (files, size) in one.items():
            before = total.get(name, (0, 0))
            total[name] = before[0] + files, before[1] + size
    return dict(sorted(total.items(), key=lambda item: -item[1][1]))


def show_types(found: Counts, kept: Counts) -> None:
    """File types: all that there are, and what is kept of each; those that are not chosen too, so that they can be."""
    table = plain_table("file type", "files", "size", "kept", "size", figures_from=1)
    first = dict(sorted(found.items(), key=lambda item: -kept.get(item[0], (0, 0))[1]))
    shown = list(first)[:_MOST_TYPES]
    for name in shown:
        files, size = found[name]
        kept_files, kept_size = kept.get(name, (0, 0))
        left = in_bytes(kept_size) if kept_files else ""
        table.add_row(name, f"{files:,}", in_bytes(size), f"{kept_files:,}" if kept_files else "–", left)
    others = [counts for name, counts in found.items() if name not in shown]
    if others:
        files, size = (sum(column) for column in zip(*others, strict=True))
        table.add_row(f"{counted(len(others), 'other type')}", f"{files:,}", in_bytes(size), "–", "")
    show(table)
    show("A project's `languages` names the types to keep; without it, programming languages are kept.")


def show_doubts(project: str, doubtful: Counts) -> None:
    """What is kept, but often is other people's code."""
    if doubtful:
        listed = ", ".join(f"{glob} {counted(files, 'file')}" for glob, (files, _) in list(doubtful.items())[:4])
        show(f"Kept of {project}, but to be looked at, since `exclude` could leave it out: {listed}")


def show_funnel(funnel: Funnel) -> None:
    """What became of the files, and the reasons of those that are left out."""
    table = plain_table("data", "files", "size", "tokens", figures_from=1)
    for name, amount in funnel.stages.items():
        tokens = "" if amount.tokens is None else f"{amount.tokens:,}"
        table.add_row(FUNNEL_WORDS.get(name, name), f"{amount.files:,}", in_bytes(amount.bytes), tokens)
    for reason, amount in list(funnel.reasons.items())[:_MOST_REASONS]:
        table.add_row(f"left out: {reason.replace('-', ' ')}", _files(amount), in_bytes(amount.bytes), "")
    rest = list(funnel.reasons.values())[_MOST_REASONS:]
    if rest:
        other = sum(rest, Amount())
        table.add_row(f"left out: {counted(len(rest), 'other reason')}", _files(other), in_bytes(other.bytes), "")
    show(table)
    show(TOKENS)
    show(f"Near-duplicates across the split: {funnel.leaked} ({funnel.leaks_dropped} found and dropped)")


def _files(amount: Amount) -> str:
    whole = f" + {amount.directories:,} directories" if amount.directories else ""
    return f"{amount.files:,}{whole}"
