"""The dialog that asks where an adapter shall go, by itself or folded into its base model, and shows how far it is."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from duotune.errors import DuotuneError, printable
from duotune.runs.wording import counted, in_bytes, in_words
from duotune.screens import ways
from duotune.screens.adapters import reading
from duotune.screens.page import Page
from duotune.widgets.meter import bar

BAR = 24
SECONDS_BETWEEN_LOOKS = 0.1
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Offer:
    """What a person is asked.

    Attributes:
        title: What is done.
        consequences: What follows from it, a paragraph each.
        directory: What is proposed.
        command: What does the same in a shell, without the directory.
        verb: On the button.
        act: Called in a thread with the directory, and with what takes the bytes done and in all.
        done: Called with what `act` returned, and whether the dialog is still there; a sentence that it returns is
            shown, an empty one closes the dialog.
    """

    title: str
    consequences: str
    directory: str
    command: str
    verb: str
    act: Callable[[str, Told], str]
    done: Callable[[str, bool], str] = lambda told, _: told


class HandOver(ModalScreen[None]):
    """Asks for a directory, and keeps it when it was no good.

    Args:
        page: Whose threads and line with the shell's equivalent are used.
        offer: What is asked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back", id="handing_over.back")]
    AUTO_FOCUS = "Input"

    def __init__(self, page: Page, offer: Offer) -> None:
        super().__init__()
        self._page, self._offer = page, offer
        self._busy = False
        self._looked = 0.0

    def compose(self) -> ComposeResult:
        """What follows, the field, and what came of it."""
        with Vertical(classes="dialog"):
            yield Static(printable(self._offer.title), classes="title", markup=False)
            yield Static("\n".join(map(printable, self._offer.consequences.splitlines())), markup=False)
            yield Static("\nTo this directory, which must not be there yet or be empty:", classes="muted")
            yield Input(self._offer.directory, compact=True)
            yield Static("", id="outcome", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Back (esc)", id="back", compact=True)
                yield Button(f"{self._offer.verb} (enter)", id="go", variant="primary", compact=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what does the same in a shell."""
        self._page.show_command(f"{self._offer.command} {shlex.quote(event.value.strip())}")

    def on_input_submitted(self) -> None:
        """Do it."""
        self._try()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do it, or leave."""
        if event.button.id == "go":
            self._try()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Leave; what is under way goes on, and is told on the page when it is done."""
        self._page.show_command(self._page.command_line())
        self.dismiss()

    def _try(self) -> None:
        directory = self.query_one(Input).value.strip()
        if not directory or self._busy:
            return
        self._set_busy(True)
        self._page.in_background(partial(self._offer.act, directory, self._tell), self._done, trouble=self._no)

    def _tell(self, done: int, total: int) -> None:
        """In a thread: how far it is, not too often."""
        now = time.monotonic()
        if done == total or now - self._looked > SECONDS_BETWEEN_LOOKS:
            self._looked = now
            self._page.post_message(Page.Done(partial(self._show_progress, done, total)))

    def _show_progress(self, done: int, total: int) -> None:
        if self.is_attached and self._busy:
            share = done / total if total else 0.0
            self._show(Content.assemble((bar(share, BAR), "$accent"), f" {in_bytes(done)} of {in_bytes(total)}"))

    def _done(self, result: str) -> None:
        self._set_busy(False)
        sentence = self._offer.done(result, self.is_attached)
        if not self.is_attached:
            self._page.say(sentence)
        elif sentence:
            self._show(Content.styled(printable(sentence), "$text-success"))
            self.query_one("#go").display = False
            self.query_one(Input).disabled = True
            self.query_one("#back").focus()
        else:
            self.dismiss()

    def _no(self, error: DuotuneError) -> None:
        self._set_busy(False)
        if not self.is_attached:
            self._page.show_trouble(error)
            return
        lines = [printable(text) for text in (error.message, error.hint) if text]
        self._show(Content.assemble((lines[0], "$text-error"), "".join(f"\n{line}" for line in lines[1:])))
        self.query_one(Input).focus()

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        if self.is_attached:
            self._show(Content("beginning …" if busy else ""))

    def _show(self, text: Content) -> None:
        self.query_one("#outcome", Static).update(Content.assemble("\n", text))


def ask_to_export(page: Page, found: reading.AdapterFacts) -> None:
    """Ask where a version's files shall go, and copy them."""
    name = found.row.version.name
    consequences = (
        f"{counted(len(found.manifest.files) + 1, 'file')}, {in_bytes(found.size_bytes)}, in PEFT's format, each "
        "compared with the hash that it was published with. Its base model is not among them.\n"
        "Its manifest names the projects that it was trained on, and where they were."
    )
    title, command = f"Export {name}", shlex.join(["duotune", "adapters", "export", name])
    offer = Offer(title, consequences, str(Path.home() / name), command, "Export", partial(reading.export_to, name))
    page.app.push_screen(HandOver(page, offer))


def ask_to_merge(page: Page, found: reading.Mergeable) -> None:
    """Ask where the merged model shall go, start the run that makes it, and watch that."""
    planned = found.planned
    name = planned.version.name
    known = planned.seconds
    takes = f"about {in_words(known)} on this host" if known is not None else "the time to read and write as much"
    proven = (
        "It must then answer as the adapter did when it was evaluated, or it is deleted."
        if planned.proven
        else "Nothing was recorded of the adapter's answers, so nothing will prove that it gives them."
    )
    consequences = (
        f"A whole copy of {planned.base} with the adapter folded in: it takes {in_bytes(planned.bytes)} of disk, and "
        f"{takes}. Any engine serves it without LoRA; a later version of the adapter has to be merged anew. {proven}\n"
        "It is a run: it goes on when you leave, and can be stopped and resumed."
    )

    def watch(run: str, here: bool) -> str:
        if not here:
            return f"Run {run} has started."
        page.show_command(page.command_line())
        page.app.call_later(ways.open_run, page.app, run)
        return ""

    title, command = f"Merge {name} into its base model", shlex.join(["duotune", "adapters", "merge", name])
    offer = Offer(title, consequences, found.proposed, command, "Merge", partial(reading.start_merging, planned), watch)
    page.app.push_screen(HandOver(page, offer))
