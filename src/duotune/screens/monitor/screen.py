"""The run monitor: watch a run from any terminal, leave and come back, stop it, let it go on."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Static
from textual.worker import get_current_worker

from duotune.errors import DuotuneError, printable
from duotune.screens import ways
from duotune.screens.page import BACK, Page
from duotune.widgets.glyphs import glyphs
from duotune.widgets.tab_line import TabLine

if TYPE_CHECKING:
    from duotune.screens.monitor.reading import MemoryInUse, RunWatch, Seen

LOOK_SECONDS = 1.0
MEMORY_SECONDS = 5.0
OVERVIEW, DATA, LOG = "overview", "data", "log"


class Monitor(Page):
    """One run.

    Args:
        run: Its id.
    """

    CSS_PATH = "../../assets/monitor.tcss"
    help_text = (
        "The upper lines say where the run stands, how long all of it still takes, and what it waits for; the bar is "
        "of one phase, which is named beside it. The tabs below choose what is shown: an overview in words, what it "
        "measures as charts, what became of the files, and what the worker prints. Leaving this screen or the app does "
        "not touch the run: it goes on, and you can come back at any time, from several terminals at once."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *BACK,
        Binding("s", "stop", "Stop", id="monitor.stop", tooltip="Stop at the next step, with a checkpoint"),
        Binding("r", "resume", "Resume", id="monitor.resume", tooltip="Go on from the last checkpoint"),
        Binding("e", "evaluation", "Evaluation", id="monitor.evaluation", tooltip="Adapter against base model"),
        Binding("o", "report", "Report", id="monitor.report", tooltip="Of the evaluation; in Data, of the files"),
        Binding("l", "draw('logarithmic')", "Log scale", id="monitor.log_scale", tooltip="Logarithmic vertical axis"),
        Binding("m", "draw('smooth')", "Smooth", id="monitor.smooth", show=False, tooltip="Smooth the lines of charts"),
        Binding("slash", "search", "Search", id="monitor.search", key_display="/", tooltip="Search the log"),
        Binding("left", "tab(-1)", show=False, id="monitor.left"),
        Binding("right", "tab(1)", show=False, id="monitor.right"),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run_id = run
        self._watch: RunWatch | None = None
        self._seen: Seen | None = None
        self._chosen = ""
        self._stopping = self._gone = False
        self._possible: list[bool | None] = []
        self._texts: dict[str, Content | str] = {}
        self._opened = time.monotonic()
        self._memory_is_known = True

    @property
    def seen(self) -> Seen | None:
        """What was seen last; None before the journal is read."""
        return self._seen

    def content(self) -> ComposeResult:
        """Head, stages, tabs, and what they choose."""
        from duotune.screens.monitor.panels import LogPanel, RunChart
        from duotune.widgets.stage_rail import StageRail

        yield Static(printable(self.run_id), id="run-title", markup=False)
        yield Static("looking …", id="run-progress", markup=False)
        yield Static("", id="run-notice", markup=False)
        with Container(id="run-body"):
            with Vertical(id="run-side"):
                yield StageRail()
            with Vertical(id="run-panels"):
                yield TabLine()
                with ContentSwitcher(initial=OVERVIEW):
                    with VerticalScroll(id=OVERVIEW):
                        yield Static("", markup=False)
                    yield RunChart(id="chart")
                    with VerticalScroll(id=DATA):
                        yield Static("", markup=False)
                    yield LogPanel(id=LOG)

    def command_line(self) -> str:
        """What shows the same in a shell."""
        return f"duotune logs -f {self.run_id}" if self._tab == LOG else f"duotune status {self.run_id}"

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one("#run-notice").display = False
        self.query_one(TabLine).focus()
        self.every(LOOK_SECONDS, self._look, self._show, "look")
        self.every(MEMORY_SECONDS, self._read_memory, self._show_memory, "memory")

    # In threads

    def _look(self) -> Seen | DuotuneError | None:
        from duotune.screens.monitor import data, words  # noqa: F401 - here, so that showing need not import them
        from duotune.screens.monitor.reading import RunWatch

        worker = get_current_worker()

        def told(share: float) -> bool:
            self.post_message(self.Done(partial(self._show_replay, share)))
            return not worker.is_cancelled

        try:
            self._watch = self._watch or RunWatch(self.run_id)
            return self._watch.look(told)
        except DuotuneError as error:  # shown in its place, as it would come again every second
            return error

    def _read_memory(self) -> tuple[MemoryInUse, ...] | None:
        from duotune.screens.monitor.reading import read_memory

        wanted = self._seen is not None and self._seen.state.state == "running" and self._memory_is_known
        return read_memory() if wanted else None

    # On the event loop

    def _show_replay(self, share: float) -> None:
        if self._seen is None:
            self.query_one("#run-progress", Static).update(f"reading the journal … {share * 100:.0f} %")

    def _show(self, seen: Seen | DuotuneError | None) -> None:
        from duotune.screens.monitor.panels import LogPanel

        self._gone = isinstance(seen, DuotuneError)
        if isinstance(seen, DuotuneError):
            self._show_notice(f"{glyphs().bad} {printable(seen.message)}\n{printable(seen.hint)}")
            self._show_keys()
        elif seen is not None:
            self._seen = seen
            self._stopping = self._stopping and not seen.state.ended
            self.query_one(LogPanel).add(seen.log)
            self._show_head(seen)
            self._show_panel(seen)
            self._show_keys()

    def _show_keys(self) -> None:
        """Change the footer where other keys have become possible; painting it anew each second would be costly."""
        from duotune.screens.monitor.keys import ACTIONS

        possible = [self.check_action(action, parameters) for action, parameters in ACTIONS]
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def _show_head(self, seen: Seen) -> None:
        from duotune.runs.outcomes import outcome
        from duotune.screens.monitor import words
        from duotune.widgets.stage_rail import StageRail

        state = seen.state
        self._update("#run-title", words.title(state))
        self._update("#run-progress", words.progress(state, self._stopping, self.has_class("-wide")))
        self._show_notice(words.notice(state))
        self.query_one(StageRail).show([(stage, printable(outcome(state, stage.name))) for stage in state.stages])

    def _show_memory(self, memory: tuple[MemoryInUse, ...] | None) -> None:
        from duotune.screens.monitor.panels import RunChart

        if memory:
            busiest = max(memory, key=lambda gpu: gpu.by_runs)
            self.query_one(RunChart).sample((time.monotonic() - self._opened) / 60, busiest)
        elif memory is not None:
            self._memory_is_known = False  # no GPU: what the run journals is all there is

    def _show_panel(self, seen: Seen) -> None:
        """The tabs that there is something for, and what the chosen one shows."""
        from duotune.screens.monitor.charts import CHARTS
        from duotune.screens.monitor.data import data
        from duotune.screens.monitor.panels import RunChart
        from duotune.screens.monitor.words import overview

        tabs, tab = self._tabs(seen), self._tab
        self.query_one(TabLine).show(tabs, tab)
        self.query_one(ContentSwitcher).current = "chart" if tab in CHARTS else tab
        self.show_command(self.command_line())
        if tab in CHARTS:
            total = seen.state.progress.total if seen.state.progress and seen.state.stage == "train" else 0
            self.query_one(RunChart).show_chart(tab, seen.curves, total)
        elif tab == OVERVIEW:
            self._update(f"#{OVERVIEW} Static", overview(seen.state), layout=True)
        elif tab == DATA:
            self._update(f"#{DATA} Static", data(seen.state, self.query_one(ContentSwitcher).size.width), layout=True)

    def _tabs(self, seen: Seen) -> dict[str, str]:
        from duotune.screens.monitor.panels import RunChart
        from duotune.screens.monitor.tabs import tabs_of

        return tabs_of(seen, self.query_one(RunChart).has_samples)

    @property
    def _tab(self) -> str:
        """The tab that a person chose; before that the one that suits the run."""
        from duotune.screens.monitor.tabs import suiting

        if self._seen is None:
            return OVERVIEW
        return self._chosen if self._chosen in self._tabs(self._seen) else suiting(self._seen)

    def _show_notice(self, text: Content | str) -> None:
        self._update("#run-notice", text, layout=True)
        self.query_one("#run-notice").display = bool(str(text))

    def _update(self, selector: str, text: Content | str, layout: bool = False) -> None:
        """Change a text where it differs: what stays as it is costs nothing."""
        if self._texts.get(selector) != text:
            self._texts[selector] = text
            self.query_one(selector, Static).update(text, layout=layout)

    # What a person asks for

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Show what was chosen, and let the arrows scroll it."""
        self._chosen = tab = event.key
        if self._seen is not None:
            self._show_panel(self._seen)
            self._show_keys()
            focus: dict[str, str] = {LOG: "LogView", DATA: f"#{DATA}", OVERVIEW: f"#{OVERVIEW}"}
            self.query_one(focus.get(tab, "TabLine")).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now has a key."""
        from duotune.screens.monitor.keys import possible

        seen = None if self._gone else self._seen
        return possible(action, parameters, seen, self._tab, self._stopping)

    def action_tab(self, by: int) -> None:
        """To the tab beside this one."""
        self.query_one(TabLine).action_move(by)

    def action_draw(self, what: str) -> None:
        """Draw charts another way."""
        from duotune.screens.monitor.panels import RunChart

        chart = self.query_one(RunChart)
        setattr(chart, what, not getattr(chart, what))
        if self._seen is not None:
            self._show_panel(self._seen)

    def action_search(self) -> None:
        """Search the log."""
        from duotune.screens.monitor.panels import LogPanel

        self.query_one(LogPanel).begin_search()

    def action_evaluation(self) -> None:
        """Adapter against base model."""
        ways.open_evaluation(self.app, self.run_id)

    def action_report(self) -> None:
        """The page for people that belongs to what is shown."""
        from duotune.screens.monitor.report import Report
        from duotune.screens.monitor.tabs import report_of

        if self._seen is not None and (file := report_of(self._seen, self._tab)) is not None:
            self.in_background(partial(Report.read, file), partial(ways.show, self.app), "report", waits=False)

    def action_stop(self) -> None:
        """Ask, then stop."""
        from duotune.runs.outcomes import stop_consequences

        if self._seen is not None:
            told = f"{stop_consequences(self._seen.state.kind)}\nin a shell: duotune stop {self.run_id}"
            self.ask(f"Stop run {self.run_id}?", told, "Stop it", self._stop)

    def _stop(self) -> None:
        from duotune.screens.monitor import reading

        def asked(_: None) -> None:
            self._stopping = True
            self.say(f"Run {self.run_id} stops at its next step.")

        self.in_background(lambda: reading.stop(self.run_id), asked, "stop", waits=False)

    def action_resume(self) -> None:
        """Launch a new worker."""
        from duotune.screens.monitor import reading

        def resumed(note: str) -> None:
            self.say(f"The run goes on. {note}".strip())

        self.say("Starting a worker …")
        self.in_background(lambda: reading.resume(self.run_id), resumed, "resume", waits=False)
