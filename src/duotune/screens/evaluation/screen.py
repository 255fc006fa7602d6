"""The evaluation of a run: is the adapter better than its base model, where, and how does that look?"""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from duotune.errors import DuotuneError, printable
from duotune.runs.wording import counted
from duotune.screens import ways
from duotune.screens.page import BACK, Page
from duotune.widgets.glyphs import glyphs
from duotune.widgets.tab_line import TabLine

if TYPE_CHECKING:
    from duotune.catalog.adapters import Version
    from duotune.screens.evaluation.reading import Compared

LOOK_SECONDS = 3.0
FIGURES, LANGUAGES, PROJECTS, EXAMPLES = "figures", "languages", "projects", "examples"


class EvaluationPage(Page):
    """One run's evaluation.

    Args:
        run: Its id.
    """

    CSS_PATH = "../../assets/evaluation.tcss"
    help_text = (
        "Base model and adapter completed the same code, which neither was trained on. The figures compare the two: "
        "the bar is the range in which the true difference lies with 95 % certainty; when it does not reach zero, "
        "the word beside it says for whom that speaks. Examples show the answers themselves: = marks a line that the "
        "author wrote too, ~ one that differs in part, + one that only the model wrote, - one that it left out."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *BACK,
        Binding("p", "publish", "Publish", id="evaluation.publish", tooltip="Let the withheld adapter be served"),
        Binding("r", "report", "Report", id="evaluation.report", tooltip="The page for people, with all figures"),
        Binding("f", "examples('next_choice')", "Filter", id="evaluation.filter", tooltip="All, won, lost, bad"),
        Binding("o", "examples('turn')", "Order", id="evaluation.order", tooltip="Best first, or worst first"),
        Binding("w", "examples('show_whole')", "Whole", id="evaluation.whole", tooltip="The whole prompt and answers"),
        Binding("left", "tab(-1)", show=False, id="evaluation.left"),
        Binding("right", "tab(1)", show=False, id="evaluation.right"),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run_id = run
        self._found: Compared | None = None
        self._tab = FIGURES

    def content(self) -> ComposeResult:
        """The verdict above, tabs, and what they choose."""
        from duotune.screens.evaluation.browser import Browser

        yield Static("looking …", id="verdict", markup=False)
        yield Static("", id="verdict-about", markup=False)
        yield TabLine()
        with ContentSwitcher(initial=FIGURES):
            for name in (FIGURES, LANGUAGES, PROJECTS):
                with VerticalScroll(id=name):
                    yield Static("", markup=False)
            yield Browser(id=EXAMPLES)

    def command_line(self) -> str:
        """What shows the same in a shell."""
        found = self._found
        if found is not None and self._tab != FIGURES:
            return f"less {shlex.quote(str(found.report))}"
        return shlex.join(["duotune", "status", self.run_id])

    def on_mount(self) -> None:
        """Read, and again until there is an evaluation; let the arrows scroll what is shown."""
        self.query_one(f"#{FIGURES}").focus()
        self.every(LOOK_SECONDS, self._read, self._show, "evaluation")

    def on_resize(self) -> None:
        """Draw bars as wide as fits now."""
        if self._found is not None:
            self.call_after_refresh(self._draw)

    def _read(self) -> Compared | DuotuneError | None:
        from duotune.screens.evaluation.reading import read

        if self._found is not None and self._found.evaluation is not None:
            return None
        try:
            return read(self.run_id)
        except DuotuneError as error:  # shown in its place, as it would come again every few seconds
            return error

    def _show(self, found: Compared | DuotuneError | None) -> None:
        from duotune.screens.evaluation.browser import Browser

        if isinstance(found, DuotuneError):
            trouble = f"{glyphs().bad} {printable(found.message)} {printable(found.hint)}"
            self.query_one("#verdict", Static).update(trouble)
            return
        if found is None:
            return
        self._found = found
        self.query_one(Browser).show(found.items)
        self._draw()
        self.refresh_bindings()

    def _draw(self) -> None:
        from duotune.screens.evaluation import figures

        found = self._found
        if found is None:
            return
        evaluation = found.evaluation
        if evaluation is None:
            stage = f"The run is {found.state.state}, in stage {found.state.stage or 'none'}."
            self.query_one("#verdict", Static).update(f"Not evaluated yet. {stage}")
            return
        self.query_one("#verdict", Static).update(figures.verdict(evaluation))
        self.query_one("#verdict-about", Static).update(_about(found))
        self.query_one(TabLine).show(self._tabs(found), self._tab)
        self.query_one(ContentSwitcher).current = self._tab
        self.set_class(self._tab == EXAMPLES, "-examples")
        width = self.query_one(ContentSwitcher).size.width - 4
        self.query_one(f"#{FIGURES} Static", Static).update(figures.figures(evaluation, width))
        for name, word, groups in (
            (LANGUAGES, "language", found.groups.languages),
            (PROJECTS, "project", found.groups.projects),
        ):
            text = figures.groups(word, groups, evaluation.compared, width)
            self.query_one(f"#{name} Static", Static).update(text)
        self.show_command(self.command_line())

    def _tabs(self, found: Compared) -> dict[str, str]:
        tabs = {FIGURES: "Figures"}
        tabs |= {LANGUAGES: "Languages"} if len(found.groups.languages) > 1 else {}
        tabs |= {PROJECTS: "Projects"} if len(found.groups.projects) > 1 else {}
        return tabs | ({EXAMPLES: "Examples"} if found.items else {})

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Show what was chosen."""
        from duotune.screens.evaluation.browser import Browser

        self._tab = event.key
        self._draw()
        self.refresh_bindings()
        if self._tab == EXAMPLES:
            self.query_one(Browser).focus_list()
        else:
            self.query_one(f"#{self._tab}").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now has a key."""
        if action == "publish":
            return self._found is not None and self._found.withheld
        if action == "report":  # the line of keys has no room for it beside those of the examples
            return self._tab != EXAMPLES and self._found is not None and self._found.evaluation is not None
        return self._tab == EXAMPLES if action == "examples" else True

    def action_tab(self, by: int) -> None:
        """To the tab beside this one."""
        self.query_one(TabLine).action_move(by)

    def action_examples(self, what: str) -> None:
        """Show other examples, or more of this one."""
        from duotune.screens.evaluation.browser import Browser

        browser = self.query_one(Browser)
        {"next_choice": browser.next_choice, "turn": browser.turn, "show_whole": browser.show_whole}[what]()

    def action_report(self) -> None:
        """The page for people."""
        from duotune.screens.monitor.report import Report

        if self._found is not None:
            read = partial(Report.read, self._found.report)
            self.in_background(read, partial(ways.show, self.app), "report", waits=False)

    def action_publish(self) -> None:
        """Ask, for a reason too where harm was found, then publish."""
        from duotune.screens.dialogs import Reason

        found = self._found
        if found is None or found.version is None:
            return
        name = found.version.name
        why = "It can then be assigned to projects and served. Publishing is not taken back."
        if found.harmful:
            why = f"It did measurable harm on held-out code. {why} Say why it shall be served all the same."
        question = Reason(f"Publish {name}?", why, "Publish", needed=found.harmful)
        self.app.push_screen(question, lambda reason: None if reason is None else self._publish(name, reason))

    def _publish(self, name: str, reason: str) -> None:
        from duotune.screens.evaluation import reading

        self.in_background(lambda: reading.publish(name, reason), self._published, "publish", waits=False)

    def _published(self, version: Version) -> None:
        from duotune.screens.evaluation.reading import read

        self.say(f"Published {version.name}. Next: assign {version.adapter} to projects (3).")
        self.in_background(lambda: read(self.run_id), self._show, "evaluation")


def _about(found: Compared) -> Content:
    """Whose evaluation it is."""
    version = found.version
    lines = []
    if version is not None:
        state = f"{glyphs().good} published" if version.state == "published" else "withheld: it is not served"
        why = f" because: {printable(version.force_reason)}" if version.force_reason else ""
        lines.append(Content.assemble(("Adapter  ", "$text-muted"), f"{version.name}, {state}{why}"))
    if found.unread:
        words = f"{counted(found.unread, 'answer')} cannot be read: damaged, or written by another version of duotune."
        lines.append(Content.assemble((f"{glyphs().warning} {words}", "$text-warning")))
    return Content("\n").join(lines)
