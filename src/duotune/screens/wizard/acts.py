"""What the wizard does in threads, and the few words that its line of steps has for the draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from duotune.errors import DuotuneError
from duotune.runs.wording import counted, in_bytes
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.looking import Looks
from duotune.widgets.glyphs import glyphs

if TYPE_CHECKING:
    from duotune.plan.records import Plan
    from duotune.plan.start import Started
    from duotune.screens.wizard.keeping import Kept

HELP = (
    "F8 goes on when this step is right, else to the first field that is not. F7 goes back, and loses nothing. The "
    "draft is kept for you: escape leaves, and n on Home comes back to it."
)
"""What is true of every step."""


def begin(start: str) -> Kept:
    """What to begin with: a file, a run, or the draft that was kept; where a file takes its place, it is put aside."""
    from duotune.screens.wizard.keeping import open_start, read_kept
    from duotune.screens.wizard.meeting import as_kept, set_aside

    there = read_kept()
    if not start:
        return replace(there, before=there.draft)
    kept = open_start(start)
    aside = str(set_aside(there)) if there.draft.data and there.draft != as_kept(kept.draft) else ""
    return replace(kept, before=there.draft, aside=aside)


def start_run(plan: Plan, detach: bool, forget: Callable[[], None]) -> Started:
    """Start the run; the draft has done its work then. One that cannot be deleted is a note: the run has started."""
    from duotune.plan.start import start

    started = start(plan, detach=detach)
    try:
        forget()
    except DuotuneError as error:
        kept = f"do not start it again: its draft is still there. {error.message} {error.hint}".rstrip(".")
        return replace(started, note="; ".join(filter(None, (started.note, kept))))
    return started


def begun(kept: Kept) -> str:
    """What the wizard goes on with, in a sentence; empty for an empty draft."""
    if kept.origin:
        aside = " The draft of before was put aside; F3 lists it." if kept.aside else ""
        return f"{glyphs().good} This begins with {kept.origin}.{aside}"
    return (
        f"{glyphs().warning} This goes on with your draft {when(kept.kept_at)}. F10 begins anew."
        if kept.draft.data
        else ""
    )


def rehearse(planned: Plan) -> Started:
    """Start the rehearsal of a run; the draft is still needed."""
    from duotune.plan.rehearsal import LAST_STAGE, rehearsal_of
    from duotune.plan.resolve import plan
    from duotune.plan.start import start

    return start(plan(rehearsal_of(planned.config)), until=LAST_STAGE)


def when(seconds: float) -> str:
    """Day and time, in a sentence."""
    return f"of {datetime.fromtimestamp(seconds):%d %b %H:%M}" if seconds else ""


def details(draft: Draft, looks: Looks) -> dict[str, str]:
    """What was chosen in each step."""
    found = [looks.of(project["source"], project.get("ref", "HEAD")) for project in draft.projects]
    surveys = [look.survey for look in found if look.survey is not None]
    config = draft.mended
    words = {"projects": counted(len(draft.projects), "project") if draft.projects else "none yet"}
    if surveys:
        files, size = sum(survey.files for survey in surveys), sum(survey.bytes for survey in surveys)
        words["files"] = f"{counted(files, 'file')}, {in_bytes(size)}"
    if config is not None:
        words["data"] = f"{config.data.sequence_length:,} tokens per row"
        if draft.value("model.path"):
            words["model"] = f"{config.model.path.rstrip('/').rpartition('/')[2]}, r {config.lora.r}"
    return words
