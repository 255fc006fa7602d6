"""A draft that becomes a run: once, whatever the disk then says of the draft."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from duotune.errors import UsageError
from duotune.runs.directory import list_runs
from duotune.runs.launcher import request_stop
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import draft_file, keep
from support.app import Session, drive
from support.projects import make_project, small_run
from support.wizard import next_step, until


def test_a_run_that_has_started_is_told_though_its_draft_cannot_be_deleted(tmp_path: Path) -> None:
    source = make_project(tmp_path / "billing", "json", "logging")
    keep(Draft(small_run(source, Path("tiny"), "once").model_dump(mode="json")), "model")
    drafts = draft_file().parent

    async def play(session: Session) -> None:
        await session.press("n")
        await until(session, "goes on with your draft")
        await next_step(session, "Review")
        await until(session, "Ready")
        shutil.rmtree(drafts)
        drafts.write_text("in the way")
        await session.press("f9")
        await until(session, lambda: len(session.app.screen_stack) == 1)
        (run,) = list_runs()
        assert f"Run {run.id} has started." in session.notes
        assert "cannot be deleted: File exists." in session.notes
        assert "do not start it again" in session.notes

    try:
        drive(play)
    finally:
        for run in list_runs():
            with suppress(UsageError):  # it may have ended
                request_stop(run)
