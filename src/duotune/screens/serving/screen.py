"""Serving: what runs, what would run, and the change from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import ContentSwitcher, DataTable, Static

from duotune.errors import DuotuneError, printable
from duotune.screens.page import Page
from duotune.widgets.rows import Rows
from duotune.widgets.tab_line import TabLine

if TYPE_CHECKING:
    from duotune.screens.serving.reading import Planned, Served
    from duotune.serving.request import Ending, Request

LOOK_SECONDS = 4.0
FOLLOW_SECONDS = 0.5
NOW, PLAN, FILES, HISTORY, LOG = "now", "plan", "files", "history", "log"
TABS = {NOW: "Now", PLAN: "Plan", FILES: "Files", HISTORY: "History", LOG: "Log"}
COMMANDS = {PLAN: "duotune serve plan", FILES: "duotune serve plan --files"}
COLUMNS = ("no.", "state", "applied", "by", "adapters", "why it failed")
FOREGROUND = (
    "Without systemd, applying starts a process that keeps vLLM running in the background until you stop it here, or "
    "the host ends. It does not come back by itself after a boot."
)
STOPPING = "Nobody gets completions from this host until it is started again: apply starts it"
ROLLING_BACK = "It is checked and proven as any other; when it does not answer, what serves now is served again."
NO_LOG = "vLLM has written nothing that can be read here."


class Serving(Page):
    """The screen."""

    place = "serving"
    help_text = (
        "Now: what vLLM serves, and whether it answers with just that. Plan: what would be served from what is "
        "published, with every check and the difference from now; nothing is changed by looking. Apply carries the "
        "plan out: it writes the configuration, restarts vLLM or loads adapters while it runs, sends every adapter "
        "the prompts of its evaluation, and goes back to what served before when one does not answer as it should. "
        "The change goes on when you leave. History: enter opens a deployment, with why it failed and what it changed; "
        "one that has served can be served again from there."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "plan", "Plan", id="serving.plan", tooltip="What would be served; changes nothing"),
        Binding("a", "apply", "Apply", id="serving.apply", tooltip="Serve what is planned, and prove that it answers"),
        Binding("b", "back_to", "Roll back", id="serving.rollback", tooltip="Serve again what was served before"),
        Binding("s", "stop", "Stop", id="serving.stop", show=False, tooltip="Stop vLLM"),
        Binding("right", "tab(1)", "Tab to the right", id="serving.right", show=False, priority=True),
        Binding("left", "tab(-1)", "Tab to the left", id="serving.left", show=False, priority=True),
        Binding("right_square_bracket", "tab(1)", "Tab to the right", id="serving.next", key_display="]", show=False),
        Binding(
            "left_square_bracket", "tab(-1)", "Tab to the left", id="serving.previous", key_display="[", show=False
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._tab = NOW
        self._served: Served | None = None
        self._planned: Planned | None = None
        self._request: Request | None = None
        self._ended: Request | None = None
        self._following: Timer | None = None

    def content(self) -> ComposeResult:
        """Tabs."""
        yield TabLine()
        with ContentSwitcher(initial=NOW):
            with VerticalScroll(id=NOW):
                yield Static("looking …", id="status", markup=False)
                yield Static("", id="request", markup=False)
            with VerticalScroll(id=PLAN):
                yield Static("", id="planned", markup=False)
            with VerticalScroll(id=FILES):
                yield Static("", id="texts", markup=False)
            yield Rows(*COLUMNS, yielding=COLUMNS[-2:], empty="nothing was applied yet", id=HISTORY)
            with VerticalScroll(id=LOG):
                yield Static("", id="lines", markup=False)

    def command_line(self) -> str:
        """The status."""
        return "duotune serve status"

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one(TabLine).show(TABS, NOW)
        self.query_one(f"#{NOW}").focus()
        self.every(LOOK_SECONDS, _read_served, self._show, "served")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what is possible."""
        idle = self._request is None and (self._served is None or self._served.changer is None)
        able = self._served is not None and not self._served.refusal
        if action == "apply":  # of what is refused the plan itself says why
            plan = self._planned.plan if self._planned else None
            return idle and plan is not None and not plan.refusals(overwrite=True)
        if action == "back_to":
            served = self._served.history if self._served is not None else ()
            return idle and sum(one.has_served for one in served) > 1
        if action == "stop":
            return idle and able
        return True

    def action_tab(self, step: int) -> None:
        """To the tab beside this one."""
        self.query_one(TabLine).action_move(step)

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Show what was chosen."""
        self._open_tab(event.key)

    def _open_tab(self, key: str) -> None:
        """Show a tab, say what shows the same, and let the arrows scroll what is shown."""
        self._tab = key
        self.query_one(TabLine).show(TABS, key)
        self.query_one(ContentSwitcher).current = key
        self.show_command(COMMANDS.get(key, "duotune serve status"))
        self.query_one(f"#{key}").focus()
        if key == PLAN and self._planned is None:
            self._make_plan()

    def action_plan(self) -> None:
        """Plan, and show the plan."""
        self._planned = None
        self._open_tab(PLAN)

    def _make_plan(self) -> None:
        self.refresh_bindings()
        self._tell("planning", "")
        self.in_background(self._plan, self._show_plan, "plan", self._no_plan)

    def action_apply(self) -> None:
        """Carry out the plan that is shown, when a person agrees."""
        planned = self._planned
        if planned is None:
            self.action_plan()
            return
        refused = planned.plan.refusals()
        if planned.plan.change.kind == "none" and not refused:
            self.say("vLLM serves exactly this already.")
        else:
            self._ask_to_apply(planned, bool(refused))

    def action_back_to(self) -> None:
        """Serve what was served before."""
        self._roll_back("")

    def action_stop(self) -> None:
        """Stop vLLM."""
        by_boot = ", and so does a boot." if self._served is not None and self._served.unit else "."
        self.ask("Stop vLLM?", f"{STOPPING}{by_boot}", "Stop", lambda: self._begin("stop", "--yes", "--json"))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a deployment, from which one that has served can be served again."""
        from duotune.screens.serving.deployment import DeploymentView

        number, found = event.row_key.value, self._served
        if number and found is not None:
            one, before = found.generation(int(number))
            view = DeploymentView(one, before, found.unit_name, bool(self.check_action("back_to", ())))
            self.app.push_screen(view, lambda again: self._roll_back(number) if again else None)

    def _roll_back(self, number: str) -> None:
        what = f"deployment {number}" if number else "what was served before"
        arguments = ["rollback", *([number] if number else []), "--yes", "--json"]
        consequences = ROLLING_BACK
        if self._alone:
            arguments.append("--foreground")
            consequences += f"\n{FOREGROUND}"
        self.ask(f"Serve {what} again?", consequences, "Roll back", lambda: self._begin(*arguments))

    @property
    def _alone(self) -> bool:
        """Whether nothing on this host keeps vLLM running yet."""
        return self._served is not None and bool(self._served.refusal)

    def _ask_to_apply(self, planned: Planned, overwriting: bool) -> None:
        consequences = planned.plan.change.why
        if overwriting:
            consequences += "\nFiles that were edited by hand are replaced; copies of them are kept beside them."
        if self._alone:
            consequences += f"\n{FOREGROUND}"
        arguments = ["apply", "--yes", "--json", *(["--overwrite"] if overwriting else [])]
        arguments += ["--foreground"] if self._alone else []
        self.ask("Apply this plan?", consequences, "Apply", lambda: self._begin(*arguments))

    def _begin(self, *arguments: str) -> None:
        from duotune.serving.request import begin

        self.in_background(lambda: begin(arguments), partial(self._begun, arguments), "begin", waits=False)

    def _begun(self, arguments: Sequence[str], request: Request) -> None:
        if not request.is_own:
            wanted = f"duotune serve {' '.join(arguments)}"
            self.say(f"`{wanted}` was not begun: `{request.command}` is under way, {request.beginner}, and shown here.")
        if request == self._request and request.is_own:  # a look at what is under way was quicker to find it
            self._request = request
            self._open_tab(NOW)
            self.show_command(request.command)
        elif self._request is None and request != self._ended:
            self._open_tab(NOW)
            self._follow(request)

    def _follow(self, request: Request) -> None:
        self._request = request
        self.show_command(request.command)
        self.refresh_bindings()
        self._following = self.set_interval(FOLLOW_SECONDS, self._look_at_request)
        self._look_at_request()

    def _look_at_request(self) -> None:
        request = self._request
        if request is not None:
            show = partial(self._show_request, request)
            self.in_background(partial(_look_at, request), show, "request", waits=False)

    def _show_request(self, request: Request, found: tuple[list[str], Ending | None]) -> None:
        from duotune.runs.wording import in_words

        lines, ending = found
        if request is not self._request:
            return
        elapsed = in_words(request.seconds)
        state = f"under way for {elapsed}; it goes on when you leave" if ending is None else f"ended after {elapsed}"
        title = ", ".join(filter(None, (request.command, printable(request.beginner))))
        self.query_one("#request", Static).update("\n".join(["", f"{title}: {state}", *lines[-12:]]))
        if ending is None:
            return
        self._request, self._ended = None, request
        self._planned = None
        if self._following:
            self._following.stop()
        if ending.code:
            words = ending.message or f"`{request.command}` ended with {ending.code}."
            self.show_trouble(DuotuneError(words, ending.hint))
        else:
            self.say("Done.")
        self.in_background(_read_served, self._show, "served")

    def _plan(self) -> Planned:
        from duotune.screens.serving.reading import make_plan

        def tell(phase: str, detail: str) -> None:
            self.post_message(self.Done(lambda: self._tell(phase, detail)))

        return make_plan(tell)

    def _tell(self, phase: str, detail: str) -> None:
        self.query_one("#planned", Static).update(f"{phase} {detail} …")

    def _show_plan(self, planned: Planned) -> None:
        from duotune.screens.serving.words import plan_text

        self._planned = planned
        self.query_one("#planned", Static).update(plan_text(planned))
        self._show_files()
        self.refresh_bindings()

    def _show_files(self) -> None:
        from duotune.screens.serving.words import files_text

        if self._served is not None:
            self.query_one("#texts", Static).update(files_text(self._served, self._planned))

    def _no_plan(self, error: DuotuneError) -> None:
        self.query_one("#planned", Static).update(f"{error.message}\n{error.hint}")

    def _show(self, found: Served) -> None:
        from duotune.screens.serving.words import generation_cells, status_text

        self._served = found
        text = status_text(found)
        self.query_one("#status", Static).update(text + f"\n\n{FOREGROUND}" if found.refusal else text)
        self._show_files()
        self.query_one("#lines", Static).update("\n".join(found.log) or NO_LOG)
        self.query_one(Rows).show({str(one.id): generation_cells(one) for one in found.history})
        if self._request is None and found.request is not None and found.request != self._ended:
            self._follow(found.request)
        self.refresh_bindings()


def _read_served() -> Served:
    from duotune.screens.serving.reading import read_served

    return read_served()


def _look_at(request: Request) -> tuple[list[str], Ending | None]:
    return request.lines(), request.ending()
