"""Home: what this host is doing, and the obvious next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import DataTable, Static

from duotune.screens import ways
from duotune.screens.filtered import FilteredPage
from duotune.screens.home.host import HostPanel
from duotune.widgets.rows import Rows

if TYPE_CHECKING:
    from duotune.catalog.adapters import Version
    from duotune.runs.state import RunState
    from duotune.screens.home.reading import AdaptersReader, Machine, RunsReader
    from duotune.serving.status import ServingStatus

LOOK_SECONDS = 3.0
SERVING_SECONDS = 10.0


class Home(FilteredPage):
    """Home."""

    # Two tables side by side need more room than the two columns of other screens.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (170, "-wide")]  # noqa: RUF012 - Textual declares it as an instance's
    help_text = (
        "The upper part is this host: its GPUs and who holds their memory, what vLLM serves, and the disk. Below are "
        "all runs, the newest first, each bar that of a whole run, and the adapters that came of them. Enter opens the "
        "run or the adapter under the cursor; tab goes from one table to the other. / shows the runs that have what "
        "is typed in name, state or verdict."
    )
    filter_hint = "show runs with these words in name, state or verdict"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "app.new_run", "New run", id="home.new", tooltip="Choose projects, model and settings, and start"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._readers: tuple[RunsReader, AdaptersReader] | None = None
        self._found: tuple[Sequence[RunState], Sequence[Version]] | None = None
        self._started = ""

    def content(self) -> ComposeResult:
        """The host above, runs and adapters below; a welcome in their place while there are none."""
        yield HostPanel()
        with Container(id="lists"):
            with Vertical(id="runs-side"):
                yield Static("Runs", classes="heading")
                yield Rows("run", empty="none yet; n makes one", id="runs")
            with Vertical(id="adapters-side"):
                yield Static("Adapters", classes="heading")
                yield Rows("adapter", "verdict", "state", "trained", empty="none yet", id="adapters")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to filter before there is anything."""
        return action != "filter" or (self._found is not None and bool(self._found[0]))

    def command_line(self) -> str:
        """The list of runs."""
        return "duotune runs"

    def on_mount(self) -> None:
        """Begin to look."""
        panel = self.query_one(HostPanel)
        self.every(LOOK_SECONDS, self._read_lists, self._show_lists, "lists")
        self.every(LOOK_SECONDS, _read_machine, panel.show_machine, "machine")
        self.every(SERVING_SECONDS, _read_serving, panel.show_serving, "serving")

    # Readings are imported in the thread that reads: the first paint must not wait for them.
    def _read_lists(self) -> tuple[Sequence[RunState], Sequence[Version]]:
        from duotune.screens.home.reading import AdaptersReader, RunsReader

        self._readers = self._readers or (RunsReader(), AdaptersReader())
        runs, adapters = self._readers
        return runs.read(), adapters.read()

    def _show_lists(self, found: tuple[Sequence[RunState], Sequence[Version]]) -> None:
        if found != self._found:
            self._found = found
            self._welcome(not any(found))
            self.draw()

    def on_resize(self) -> None:
        """As many columns as there is room for now."""
        self.call_after_refresh(self.draw)

    def point_at(self, run: str) -> None:
        """Put the cursor on a run that was just started, as soon as it is listed."""
        self._started = run
        self.draw()

    def draw(self) -> None:
        """Show the runs that hold what was typed, and all adapters."""
        if self._found is None:
            return
        from duotune.screens.cells import adapter_cells, run_cells, run_columns

        runs, adapters = self._found
        table, beside = self.query_one("#runs", Rows), self.query_one("#adapters", Rows)
        wanted = self.wanted
        cells = {state.run: run_cells(state, table.room) for state in runs if wanted in _searched(state)}
        table.show(cells, self.without_rows, headings=tuple(run_columns(table.room)))
        beside.show({version.adapter: adapter_cells(version, beside.room) for version in adapters})
        if self._started in cells:
            table.choose(self._started)
            self._started = ""

    def _welcome(self, fresh: bool) -> None:
        """In the place of the lists while there is nothing to list; made when it is needed, which it seldom is."""
        from duotune.screens.home.welcome import Welcome

        self.query_one("#lists").display = not fresh
        there = self.query(Welcome)
        if fresh and not there:
            self.query_one("#content").mount(Welcome())
        elif not fresh and there:
            there.remove()
            self.query_one("#runs").focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open what is under the cursor."""
        key = event.row_key.value
        if not key:
            return
        if event.data_table.id == "runs":
            ways.open_run(self.app, key)
        else:
            ways.open_adapter(self.app, key)


def _searched(state: RunState) -> str:
    from duotune.runs.outcomes import verdict

    return f"{state.run} {state.state} {verdict(state)}".lower()


def _read_machine() -> Machine:
    from duotune.screens.home.reading import read_machine

    return read_machine()


def _read_serving() -> ServingStatus:
    from duotune.screens.home.reading import read_serving

    return read_serving()
