"""The run monitor: what a person sees of a run, and what the keys do to it."""

from __future__ import annotations

from duotune.runs.directory import create_run
from duotune.runs.events import (
    DecisionTaken,
    MetricsMeasured,
    ProgressMade,
    RunFailedEvent,
    RunQueued,
    RunStarted,
    RunStopped,
    StageStarted,
    WarningRaised,
)
from duotune.screens.monitor.screen import Monitor
from support.app import Session, drive
from support.monitor import PATIENCE_SECONDS, footer, open_tab, until, watch
from support.runs import run_config
from support.shelf import Shelf
from support.watched import finished_run, measured, training_run, worked_on, write

HOSTILE = "[red]x[/red]\x1b[2J\u202e"
LITERAL = "[red]x[/red]\\x1b[2J\\u202e"


def test_a_run_that_trains_shows_stages_progress_time_left_and_its_loss(size: tuple[int, int]) -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        text = session.text
        assert run.id in text
        assert "▶ running" in text
        assert "50 % of phase train • " in text
        assert "left of this phase • 20/40 steps" in text
        assert "✓ prepare" in text
        assert "▶ train" in text
        assert "• evaluate" in text
        assert "[Loss]" in text, "a run that trains shows its loss first"
        assert "── loss 3" in text
        assert "● validation loss 3.2" in text
        assert f"in a shell: duotune status {run.id}" in text
        assert "s Stop" in footer(session)
        assert "Resume" not in footer(session)

    with worked_on(run):
        drive(play, size)


def test_what_the_run_measures_next_appears_by_itself() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        write(run, measured(21), WarningRaised(message="The disk is nearly full."))
        await until(session, "── loss 2.95")
        await until(session, "! The disk is nearly full.")

    with worked_on(run):
        drive(play)


def test_each_figure_of_the_overview_names_its_step(size: tuple[int, int]) -> None:
    run = create_run(run_config())
    write(
        run,
        RunStarted(pid=1, process_start=1, attempt=1),
        StageStarted(stage="train"),
        MetricsMeasured(step=0, values={"validation_loss": 2.8}),
        MetricsMeasured(step=2, values={"loss": 2.5, "tokens_per_second": 1234.0}),
    )

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "● validation loss 2.8 (step 0)" in session.text
        await open_tab(session, "overview")
        assert "At step 2: loss 2.500 · 1,234 tokens trained on per second" in session.text
        assert "Before training: validation loss 2.800" in session.text

    with worked_on(run):
        drive(play, size)


def test_an_evaluation_that_has_outlasted_its_plan_does_not_say_0_s_left(size: tuple[int, int]) -> None:
    run = create_run(run_config())
    write(
        run,
        DecisionTaken(
            name="expected_seconds", value={name: 0.1 for name in ("prepare", "train", "evaluate", "publish")}
        ),
        RunStarted(pid=1, process_start=1, attempt=1),
        StageStarted(stage="evaluate"),
        ProgressMade(phase="base", done=0, total=160, unit="items"),
    )

    async def play(session: Session) -> None:
        await watch(session, run)
        await until(session, "0 % of phase base model answers • time left unknown • 0/160 items")

    with worked_on(run):
        drive(play, size)


def test_stop_asks_first_and_then_tells_the_worker() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        await session.press("s")
        assert f"Stop run {run.id}?" in session.text
        assert f"in a shell: duotune stop {run.id}" in session.text
        await session.press("n")
        assert holder.poll() is None
        await session.press("s", "y")
        assert holder.wait(PATIENCE_SECONDS) == -15
        assert "stops at its next step" in session.notes

    with worked_on(run) as holder:
        drive(play)


def test_a_finished_run_shows_verdict_version_and_next_step(size: tuple[int, int]) -> None:
    run = finished_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        text = session.text
        assert "✓ finished" in text
        assert "[Overview]" in text
        assert "✓ better. A gain is shown and no loss." in text
        assert "shop.v1" in text
        assert "Next: `duotune assign PROJECT shop`, then `duotune serve plan`." in text
        assert "e Evaluation" in footer(session)
        assert "Stop" not in footer(session)
        await session.press("e")
        assert "Report" in session.text
        await session.press("escape")
        assert isinstance(session.app.screen, Monitor)

    drive(play, size)


def test_what_was_published_since_is_no_longer_called_withheld(shelf: Shelf) -> None:
    run = finished_run("shop", state="withheld")

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "`duotune adapters publish shop.v1` publishes it." in " ".join(session.text.split())
        shelf.publish("shop", "billing")
        await until(session, "Next: `duotune assign PROJECT shop`")

    drive(play)


def test_a_failed_run_says_why_and_what_to_do_and_can_be_resumed(size: tuple[int, int]) -> None:
    run = training_run()
    write(run, RunFailedEvent(message="The GPU's memory is full.", hint="Lower the batch size."))

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "✗ The GPU's memory is full." in session.text
        assert "Lower the batch size." in session.text
        assert "failed in stage train at step 20" in session.text
        assert "r Resume" in footer(session)

    drive(play, size)


def test_resume_launches_a_worker_or_says_why_not() -> None:
    run = training_run()
    write(run, RunStopped())
    run.config_file.write_text("name = ")

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "It stopped at a safe point." in session.text
        await session.press("r")
        assert "config.toml" in session.notes

    drive(play)


def test_a_run_whose_worker_vanished_is_lost_and_says_where_it_can_go_on() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "✗ lost" in session.text
        assert "vanished without a word" in session.text
        assert "from its checkpoint at step 20" in " ".join(session.text.split())

    drive(play)


def test_a_waiting_run_says_for_what() -> None:
    run = create_run(run_config())
    write(run, RunStarted(pid=1, process_start=1, attempt=1), RunQueued(device="GPU 0", holder="night-run"))

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "… It waits for GPU 0, which run night-run uses, and starts by itself." in session.text

    with worked_on(run):
        drive(play)


def test_hostile_text_in_journal_and_log_is_shown_literally(size: tuple[int, int]) -> None:
    run = create_run(run_config())
    write(
        run,
        RunStarted(pid=1, process_start=1, attempt=1),
        StageStarted(stage="train"),
        WarningRaised(message=HOSTILE),
        RunFailedEvent(message=f"Failed: {HOSTILE}", hint=HOSTILE),
    )
    run.log_file.write_text(f"{HOSTILE}\n")

    async def play(session: Session) -> None:
        await watch(session, run)
        assert f"Failed: {LITERAL}" in session.text
        assert session.text.count(LITERAL) >= 3
        assert "\x1b" not in session.text
        await open_tab(session, "log")
        assert session.text.count(LITERAL) == 3, "message, hint and the log"

    drive(play, size)


def test_a_run_that_is_gone_is_said_to_be_so() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        run.journal_file.unlink()
        await until(session, "is gone")

    with worked_on(run):
        drive(play)
