"""What became of the files of a run's projects, as aligned lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.content import Content

from duotune.errors import printable
from duotune.runs.funnel import FUNNEL_WORDS, TOKENS, Amount, Funnel, Share
from duotune.runs.outcomes import dataset_in_words
from duotune.runs.results import DATA_REPORT, Prepared
from duotune.runs.state import RunState
from duotune.runs.wording import counted, in_bytes
from duotune.widgets.meter import bar

NAME = 26
MOST = 12
BAR = 20


def data(state: RunState, width: int) -> Content:
    """The funnel, or what an older run tells of its dataset; empty while nothing is prepared."""
    prepared = Prepared.of(state.results, "prepare")
    lines: list[Content] = []
    if state.funnel:
        funnel = Funnel.model_validate(state.funnel)
        lines += [*_steps(funnel, width), _muted(TOKENS)]
    if prepared is not None:
        lines += [*_dataset(prepared, bool(state.funnel))]
    if state.funnel:
        lines += [*_reasons(funnel)]
        lines += [*_shares("project", funnel.projects), *_shares("language", funnel.languages)]
        lines.append(Content(""))
        leaked = f"{funnel.leaked} ({funnel.leaks_dropped} found and dropped)"
        lines += [_muted(f"Near-duplicates across the split: {leaked}")]
        lines += [_muted(f"Each reason with an example: {printable(state.directory)}/{DATA_REPORT}")]
    return Content("\n").join(lines)


def _steps(funnel: Funnel, width: int) -> Iterator[Content]:
    yield _muted(_row("what became of the files", "files", "size", "tokens"))
    listed = max((amount.files for amount in funnel.stages.values()), default=0)
    for name, amount in funnel.stages.items():
        row = _row(FUNNEL_WORDS.get(name, name), *_amount(amount))
        share = f"  {bar(amount.files / listed, BAR)}" if listed and width >= len(row) + BAR + 2 else ""
        yield Content.assemble(row, (share, "$accent"))


def _reasons(funnel: Funnel) -> Iterator[Content]:
    if not funnel.reasons:
        return
    yield Content("")
    yield _muted(_row("left out because of", "files", "size", ""))
    for reason, amount in list(funnel.reasons.items())[:MOST]:
        yield Content(_row(reason.replace("-", " "), *_amount(amount)))
    if len(funnel.reasons) > MOST:
        yield _muted(f"and {counted(len(funnel.reasons) - MOST, 'other reason')}")


def _shares(word: str, shares: Mapping[str, Share]) -> Iterator[Content]:
    shares = {name: share for name, share in shares.items() if share.kept.files}
    if not shares:
        return
    yield Content("")
    yield _muted(_row(f"kept by {word}", "files", "size", "tokens"))
    for name, share in list(shares.items())[:MOST]:
        yield Content(_row(name, *_amount(share.kept)))
    if len(shares) > MOST:
        yield _muted(f"and {counted(len(shares) - MOST, f'other {word}')}")


def _dataset(prepared: Prepared, has_funnel: bool) -> Iterator[Content]:
    if not has_funnel:
        yield _muted(_row("project", "files", "left out", "tokens"))
        for project in prepared.projects:
            yield Content(_row(project.name, f"{project.files:,}", f"{project.rejected:,}", f"{project.tokens:,}"))
        yield from (Content(""), _muted(TOKENS))
    yield from map(Content, dataset_in_words(prepared))
    yield _muted(f"Dataset: {printable(prepared.dataset)}")


def _amount(amount: Amount) -> tuple[str, str, str]:
    files = f"{amount.files:,}" if amount.files or not amount.directories else f"{amount.directories:,} folders"
    return files, in_bytes(amount.bytes), "" if amount.tokens is None else f"{amount.tokens:,}"


def _row(name: str, files: str, size: str, tokens: str) -> str:
    shown = printable(name)
    shown = shown if len(shown) <= NAME else f"{shown[: NAME - 1]}…"
    return f"{shown:{NAME}} {files:>11} {size:>10} {tokens:>13}"


def _muted(text: str) -> Content:
    return Content.assemble((text, "$text-muted"))
