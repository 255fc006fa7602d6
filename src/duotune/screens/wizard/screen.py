"""The wizard: five steps to a run, one draft that is kept after each of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Static

from duotune.errors import DuotuneError, printable
from duotune.screens import ways
from duotune.screens.wizard import acts
from duotune.screens.wizard.bar import StepsBar
from duotune.screens.wizard.draft import STEPS, Draft, step_of
from duotune.screens.wizard.files import FilesPane
from duotune.screens.wizard.gate import Gate
from duotune.screens.wizard.leaving import Leaving
from duotune.screens.wizard.looking import Looks
from duotune.screens.wizard.model import ModelPane
from duotune.screens.wizard.pane import FormPane, Pane
from duotune.screens.wizard.projects import ProjectsPane
from duotune.screens.wizard.review import ReviewPane
from duotune.screens.wizard.storage import StoragePane
from duotune.widgets.glyphs import glyphs

if TYPE_CHECKING:
    from duotune.plan.start import Started
    from duotune.screens.wizard.keeping import Kept

ORDER = tuple(step.name for step in STEPS)


class Wizard(Leaving):
    """The wizard.

    Args:
        start: A TOML file or a run's id to begin with; empty goes on with the draft.
    """

    CSS_PATH = "../../assets/wizard.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f7", "previous", "Back", id="wizard.back"),
        Binding("f8", "next", "Next", id="wizard.next"),
        Binding("f8", "start(False)", "Start", id="wizard.start", tooltip="Start the run and watch it"),
        Binding("f9", "start(True)", "Start and detach", id="wizard.detach", tooltip="Start the run and go home"),
        Binding("f3", "open", "Open", id="wizard.open", tooltip="A TOML file, a draft, or an earlier run"),
        Binding("f10", "anew", "Begin anew", id="wizard.anew", show=False, tooltip="Empty the draft"),
    ]

    def __init__(self, start: str = "") -> None:
        super().__init__(self._take_other)
        self._start = start
        self.looks = Looks(self, self._looks_changed)
        self._seen: set[str] = {ORDER[0]}
        self._gate = Gate(self, self._leave_for)

    def content(self) -> ComposeResult:
        """The steps, a note, and the step that is shown."""
        yield StepsBar()
        yield Static("", id="note", markup=False)
        with ContentSwitcher(initial=ORDER[0]):
            projects = ProjectsPane(self.looks)
            yield projects
            yield FilesPane(self.looks, projects.is_known)
            yield StoragePane()
            yield ModelPane(self.looks)
            yield ReviewPane()

    def command_line(self) -> str:
        """Until a step is shown."""
        return "duotune config new > run.toml"

    def on_mount(self) -> None:
        """Read what to begin with; keys go to the first step meanwhile."""
        self._pane.focus_first()
        self._note("reading the draft …")
        self._show_bar()
        self.in_background(partial(acts.begin, self._start), self._begun, trouble=self._not_begun)

    def on_unmount(self) -> None:
        """What is still looked at is wanted no more."""
        self.looks.give_up()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Start only at the end, unless it is refused; go on, and open another file, only before it."""
        if action == "start":
            return self._here == ORDER[-1] and not self.query_one(ReviewPane).refused
        if action in ("next", "open"):
            return self._here != ORDER[-1]
        return self._here != ORDER[0] if action == "previous" else True

    @property
    def _pane(self) -> Pane:
        return self.query_one(f"#{self._here}", Pane)

    def action_next(self) -> None:
        """To the next step, or to the first thing that is wrong; what was typed in the same moment counts."""
        if self._here != ORDER[-1] and self._gate.taken(self._pane, self.action_next):
            self._leave_for(ORDER[ORDER.index(self._here) + 1])

    def action_previous(self) -> None:
        """To the step before, whatever is wrong with this one."""
        if self._here != ORDER[0] and not self.is_held():
            self._go(ORDER[ORDER.index(self._here) - 1])

    def action_step(self, name: str) -> None:
        """To any step: back at once, forward past steps that are right."""
        if self.is_held():
            return
        if ORDER.index(name) <= ORDER.index(self._here):
            self._go(name)
        else:
            self._leave_for(name)

    def _leave_for(self, name: str) -> None:
        """Forward; stops at the first step with something to correct."""
        for step in ORDER[ORDER.index(self._here) : ORDER.index(name)]:
            if problems := self.draft.problems_in(step):
                self._correct(next(iter(problems)))
                return
            if obstacle := self._gate.obstacle(step, self.draft, name):
                if not obstacle.waits:
                    self._correct(obstacle.key)
                self._note(obstacle.note)
                return
            if step == ORDER[0]:
                self._change(Draft.named)
            self._seen.add(step)
        self._go(name)

    def _go(self, name: str) -> None:
        self._here = name
        self._gate.give_up()
        self._seen.add(name)
        self.help_text = f"{self._pane.about}\n\n{acts.HELP}"
        self.query_one(ContentSwitcher).current = name
        self._note("")
        self._pane.enter(self.draft)
        self.show_command(self._pane.command(self.draft))
        self._show_bar()
        self.refresh_bindings()
        self._saving.now(self.draft, self._here)

    def _correct(self, key: str) -> None:
        """Go to the field of a key, and say what is wrong with it."""
        step = step_of(key)
        if step != self._here:
            self._go(step)
        self._pane.go_to(key)
        self._show_bar()

    def on_pane_changed(self, event: Pane.Changed) -> None:
        """A step asks for another draft; who goes on choosing has not gone on."""
        event.stop()
        if self._gate.give_up():
            self._note("")
        self._change(event.change)

    def _change(self, change: Callable[[Draft], Draft]) -> None:
        self.draft = change(self.draft)
        self._look()
        self._pane.show(self.draft)
        self._show_bar()
        self.show_command(self._pane.command(self.draft))
        self._saving.soon(self.draft, self._here)

    def _look(self) -> None:
        """Look at the chosen projects by the rules that the draft comes to."""
        config = self.draft.mended
        if config is None or not self.draft.projects:
            return
        for project in config.projects:
            self.looks.ask(project, config.data)

    def action_anew(self) -> None:
        """Empty the draft, once it is agreed."""
        if self.is_held():
            return
        self.ask(
            "Begin anew?",
            "What you have chosen so far is forgotten. Save it first with F2 in the last step to keep it as a file.",
            "Begin anew",
            self._begin_anew,
        )

    def _begin_anew(self) -> None:
        self._take(Draft(), ORDER[0])
        self._saving.now(self.draft, self._here)

    def action_open(self) -> None:
        """Ask what to begin with, once the draft whose place it takes is kept: that one is put aside."""
        self.keep_then(self._open, self._not_kept)

    def _not_kept(self, error: DuotuneError) -> None:
        lost = "What you have chosen is lost when something else takes its place."
        self.ask_to_lose(error, "Open something else all the same?", lost, "Open", self._open)

    def _open(self) -> None:
        from duotune.screens.wizard.opening import OpenStart

        if self.is_leaving or self.app.screen is not self:  # one has gone on meanwhile, or F3 was pressed twice
            return
        dialog = OpenStart(self)
        self.app.push_screen(dialog, lambda start: self._begun(dialog.begun) if start and dialog.begun else None)

    def _begun(self, kept: Kept) -> None:
        self._saving.begin(kept)
        self._take(kept.draft, kept.step)
        self._note(acts.begun(kept))

    def _take_other(self, kept: Kept) -> None:
        self._take(kept.draft, kept.step)
        self._note(f"{glyphs().warning} This goes on with the other terminal's draft {acts.when(kept.kept_at)}.")

    def _not_begun(self, error: DuotuneError) -> None:
        self.show_trouble(error)
        self.in_background(partial(acts.begin, ""), self._begun)

    def _take(self, draft: Draft, step: str) -> None:
        self.draft = draft
        self._look()
        self._seen = set(ORDER[: ORDER.index(step)]) if draft.data else set()
        for pane in self.query(Pane):
            if isinstance(pane, FormPane):
                pane.fresh = True
                pane.show(draft)
        self._go(step)

    def _looks_changed(self) -> None:
        if isinstance(pane := self._pane, ProjectsPane | FilesPane | ModelPane):
            pane.refresh_looks()
        self._show_bar()
        self.show_command(self._pane.command(self.draft))
        self._gate.again()

    def _show_bar(self) -> None:
        bad = {step for step in self._seen if step != self._here and self._gate.is_bad(step, self.draft)}
        self.query_one(StepsBar).show(self._here, self._seen, bad, acts.details(self.draft, self.looks))

    def _note(self, words: str) -> None:
        note = self.query_one("#note", Static)
        note.update(printable(words))
        note.display = bool(words)

    def on_review_pane_wrong(self, event: ReviewPane.Wrong) -> None:
        """To the field that a check is about."""
        event.stop()
        if not self.is_held():
            self._correct(event.key)

    def action_start(self, detach: bool) -> None:
        """Start the run, if nothing refuses it."""
        self.query_one(ReviewPane).start(detach)

    def on_review_pane_start(self, event: ReviewPane.Start) -> None:
        """Start it in a thread; unless it is but rehearsed, the draft has done its work then."""
        event.stop()
        if self.is_leaving or self.is_held():
            return
        self._starting = True
        begin = partial(acts.rehearse, event.plan)
        if not event.rehearse:
            self._saving.end(True)
            begin = partial(acts.start_run, event.plan, event.detach, self._saving.forget)
        self.say("Starting …")
        self.in_background(begin, partial(self._started, event.detach), trouble=self._not_started)

    def _started(self, detach: bool, started: Started) -> None:
        run, app = started.run.id, self.app
        note = f" Note: {printable(started.note)}." if started.note else ""
        app.notify(f"Run {run} has started. It goes on when duotune is closed.{note}", markup=False)
        self.leave(partial(ways.run_started, app, run, detach))

    def _not_started(self, error: DuotuneError) -> None:
        self._starting = False
        self._saving.end(False)
        self._note(f"{glyphs().bad} {error.message} {error.hint}")
        if not self.is_seen:
            self.show_trouble(error)
