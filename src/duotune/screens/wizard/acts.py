"""What the wizard does in threads, and the few words that its line of steps has for the draft."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from duotune.runs.wording import counted, in_bytes
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.looking import Looks

if TYPE_CHECKING:
    from duotune.plan.records import Plan
    from duotune.plan.start import Started
    from duotune.screens.wizard.keeping import Kept


def begin(start: str) -> Kept:
    """What to begin with: a file, a run, or the draft that was kept."""
    from duotune.screens.wizard.keeping import open_start, read_kept

    return open_start(start) if start else read_kept()


def start_run(plan: Plan, detach: bool, forget: Callable[[], None]) -> Started:
    """Start the run; the draft has done its work then."""
    from duotune.plan.start import start

    started = start(plan, detach=detach)
    forget()
    return started


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
