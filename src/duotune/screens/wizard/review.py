"""The last step: the plan with every check, the TOML file that says the same, and the start."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, DataTable, Static

from duotune.errors import DuotuneError, printable
from duotune.runs.wording import counted, in_bytes, in_gib, in_words
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.pane import Pane
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell, Rows

if TYPE_CHECKING:
    from duotune.plan.records import Check, Plan


class CheckList(Rows):
    """The checks; Enter goes to the field that one is about."""

    help_text = "What was looked at. Enter goes to the field that the check under the cursor is about."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Go to the field", id="review.correct", show=False),
    ]


class ReviewPane(Pane):
    """The plan, and what acts on it."""

    about = (
        "Everything that was looked at before the start: a refusal keeps the run from starting, a warning does not. "
        "Enter on a check goes to the field that it is about. F5 shows the TOML file that says the same, F2 saves it. "
        "F8 starts and goes to the run; F9 starts and goes home. Either way the run goes on when duotune is closed. "
        "F4 rehearses: it goes the whole way in a few steps, publishes nothing, and keeps the draft."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "save", "Save TOML", id="review.save", tooltip="Write the configuration to a file"),
        Binding("f4", "rehearse", "Rehearse", id="review.rehearse", show=False, tooltip="The whole way in a few steps"),
        Binding("f5", "toml", "TOML", id="review.toml", show=False, tooltip="Show the TOML file, or the checks"),
        Binding("escape", "close_toml", "Checks", id="review.checks", show=False, tooltip="Close the TOML file"),
        Binding("f6", "copy", "Copy TOML", id="review.copy", show=False, tooltip="Copy the TOML text"),
    ]

    class Wrong(Message):
        """A field is to be corrected."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Start(Message):
        """The run, or its rehearsal, shall start."""

        def __init__(self, plan: Plan, detach: bool, rehearse: bool = False) -> None:
            super().__init__()
            self.plan, self.detach, self.rehearse = plan, detach, rehearse

    def __init__(self) -> None:
        super().__init__("review")
        self._plan: Plan | None = None
        self._planned: Draft | None = None
        self._failed = False
        self._toml = ""
        self._file = ""

    def compose(self) -> ComposeResult:
        """Figures, checks beside the file, the check under the cursor, and buttons."""
        yield Static("", id="figures", markup=False)
        with Horizontal(id="both"):
            with Vertical(id="checks-side"):
                yield CheckList("", "check", "result", yielding=("check", "result"), id="checks")
            with VerticalScroll(id="toml-side", classes="box") as box:
                box.border_title = "The same as a file"
                yield Static("", id="toml", markup=False)
        yield Static("", id="check", markup=False)
        with Horizontal(classes="buttons"):
            yield Button("Start (F8)", id="start", variant="primary", compact=True)
            yield Button("Start and detach (F9)", id="detach", compact=True)
            yield Button("Rehearse (F4)", id="rehearse", compact=True)
            yield Button("TOML (F5)", id="show-toml", compact=True)
            yield Button("Copy (F6)", id="copy", compact=True)

    def enter(self, draft: Draft) -> None:
        """Plan, unless this very draft was planned a moment ago."""
        self.draft = draft
        if draft != self._planned:
            self._file = ""
        self._plan, self._planned, self._failed = None, draft, False
        self._offer_start()
        self._say("looking at projects, model, places and this host …")
        self.query_one("#checks", Rows).show({"": ("", "looking …", "")})
        self.query_one("#check", Static).update("")
        self.page.in_background(partial(_plan, draft), partial(self._show, draft), trouble=self._refused)
        self.focus_first()

    def focus_first(self) -> None:
        """The checks."""
        self.query_one("#checks").focus()

    def command(self, draft: Draft) -> str:
        """The file, once it is saved."""
        if not self._file:
            return "duotune run run.toml   (F2 saves the file)"
        return f"duotune run {shlex.quote(self._file)}"

    @property
    def plan(self) -> Plan | None:
        """The plan; None until it is made."""
        return self._plan

    @property
    def refused(self) -> bool:
        """Whether it is known that the run cannot start."""
        return self._failed or (self._plan is not None and bool(self._plan.refusals))

    def _offer_start(self) -> None:
        """Start has buttons and keys unless it is refused; why not is said above."""
        for button in ("#start", "#detach", "#rehearse"):
            self.query_one(button, Button).disabled = self.refused
        self.page.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A refused plan is not rehearsed either; escape closes the file where it is open, and else leaves."""
        if action == "close_toml":
            return self.has_class("-toml")
        return action != "rehearse" or not self.refused

    def action_close_toml(self) -> None:
        """Back to the checks."""
        self.action_toml()

    def action_toml(self) -> None:
        """Show the file in the place of the checks, where there is no room for both."""
        self.toggle_class("-toml")
        (self.query_one("#toml-side") if self.has_class("-toml") else self.query_one("#checks")).focus()

    def action_copy(self) -> None:
        """Copy the file's text by the terminal (OSC 52)."""
        if self._toml:
            self.app.copy_to_clipboard(self._toml)
            self.page.say("The TOML text is copied, where your terminal allows it; F2 saves it to a file.")

    def action_save(self) -> None:
        """Ask for a path."""
        from duotune.screens.wizard.ask import AskPath

        if self._plan is not None:
            write = partial(_write, self._plan)
            self.app.push_screen(AskPath(self.page, "Save the TOML file", "run.toml", write), self._saved)

    def start(self, detach: bool) -> None:
        """Start, if the plan is there; what is refused is not offered."""
        if (plan := self._accepted()) is not None:
            self.post_message(self.Start(plan, detach))

    def action_rehearse(self) -> None:
        """Go the whole way in a few steps, if the plan is there."""
        if (plan := self._accepted()) is not None:
            self.post_message(self.Start(plan, detach=False, rehearse=True))

    def _accepted(self) -> Plan | None:
        """The plan; None where it is refused, or not ready, which is said."""
        if self._plan is None:
            self.page.say("The plan is not ready yet.")
        return None if self.refused else self._plan

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """What the button says."""
        event.stop()
        name = event.button.id
        if name in ("start", "detach"):
            self.start(detach=name == "detach")
        elif name == "rehearse":
            self.action_rehearse()
        elif name == "show-toml":
            self.action_toml()
        else:
            self.action_copy()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """The check's whole sentence, and what to do."""
        check = self._check_of(event.row_key.value or "")
        if check is None:
            return
        from duotune.screens.wizard.causes import cause_of

        cause = cause_of(check, self.draft) if check.status != "ok" else ""
        go = f"Enter: goes to {printable(cause)}.  " if cause else ""
        sign, style = _sign(check)
        detail = Content.assemble((go, "bold $accent"), (f"{sign} ", style), printable(check.detail))
        self.query_one("#check", Static).update(Content("\n").join([detail, Content(printable(check.hint))]))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """To the field that the check is about."""
        event.stop()
        from duotune.screens.wizard.causes import cause_of

        check = self._check_of(event.row_key.value or "")
        if check is not None and (key := cause_of(check, self.draft)):
            self.post_message(self.Wrong(key))

    def _show(self, draft: Draft, found: tuple[Plan, str]) -> None:
        if draft is not self._planned:
            return
        self._plan, self._toml = found
        self._offer_start()
        plan, signs = self._plan, glyphs()
        self.query_one("#toml", Static).update(
            Content("\n").join(map(Content, map(printable, self._toml.splitlines())))
        )
        self.query_one("#checks", Rows).show({self._key_of(check): _cells(check) for check in plan.checks})
        if plan.refusals:
            count = counted(len(plan.refusals), "check")
            self._say(f"{signs.bad} The run cannot start: {count} refused. Enter goes to the field.", "$text-error")
            self.query_one("#checks", Rows).choose(self._key_of(plan.refusals[0]))
            return
        warnings = sum(check.status == "warning" for check in plan.checks)
        ready = f"{signs.good} Ready" + (f", with {counted(warnings, 'warning')}" if warnings else "")
        stages = ", ".join(f"{stage} {in_words(duration.seconds)}" for stage, duration in plan.durations.items())
        total = in_words(sum(duration.seconds for duration in plan.durations.values()))
        size = f"{counted(plan.tokens, 'token')}, {counted(plan.steps, 'optimizer step')}"
        device = printable(plan.device)
        memory = f"Memory {in_gib(plan.memory_bytes)} of {in_gib(plan.memory_free_bytes)} on {device}"
        disk = f"disk {in_bytes(plan.disk_bytes)} of {in_bytes(plan.disk_free_bytes)}"
        self.query_one("#figures", Static).update(
            Content("\n").join(
                [
                    Content.assemble((ready, "bold $text-success"), f": {size} (estimated)"),
                    Content(f"{memory}, {disk} free (estimated)"),
                    Content(f"Time about {total}: {stages}"),
                ]
            )
        )

    def _refused(self, error: DuotuneError) -> None:
        self._failed = True
        self._offer_start()
        self._say(f"{glyphs().bad} {error.message} {error.hint}", "$text-error")

    def _saved(self, file: str | None) -> None:
        if file is not None:
            self._file = file
            self.page.show_command(self.command(self.draft))
            self.page.say(f"Saved: {file}")

    def _say(self, words: str, style: str = "") -> None:
        self.query_one("#figures", Static).update(Content.styled(printable(words), style))

    def _key_of(self, check: Check) -> str:
        assert self._plan is not None
        return str(self._plan.checks.index(check))

    def _check_of(self, key: str) -> Check | None:
        return (
            self._plan.checks[int(key)] if self._plan and key.isdigit() and int(key) < len(self._plan.checks) else None
        )


def _sign(check: Check) -> tuple[str, str]:
    signs = glyphs()
    return {
        "ok": (signs.good, "$text-success"),
        "warning": (signs.warning, "$text-warning"),
        "refused": (signs.bad, "$text-error"),
    }[check.status]


def _cells(check: Check) -> tuple[Cell, ...]:
    colour = {"ok": "green", "warning": "yellow", "refused": "red"}[check.status]
    word = {"ok": "", "warning": "warning: ", "refused": "refused: "}[check.status]
    return (Text(_sign(check)[0], colour), check.name, word + " ".join(check.detail.split()))


def _plan(draft: Draft) -> tuple[Plan, str]:
    from duotune.config.write import brief_toml
    from duotune.plan.resolve import plan

    config = draft.config()
    return plan(config), brief_toml(config)


def _write(plan: Plan, file: str, replace: bool) -> str:
    from duotune.screens.wizard.keeping import write_config

    return str(write_config(plan.config, file, replace))
