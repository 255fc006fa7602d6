"""A report as a page to read."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from duotune.errors import HostError, printable
from duotune.widgets.bars import CommandLine
from duotune.widgets.prose import Page, Prose

MOST_CHARACTERS = 200_000
GOES_ON = "**The report goes on.** The command below shows all of it."


class Report(ModalScreen[None]):
    """The report.

    Args:
        file: Where it is.
        page: What it says.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,o,q", "app.pop_screen", "Close", id="report.close")]
    AUTO_FOCUS = "Prose"

    def __init__(self, file: Path, page: Page) -> None:
        super().__init__()
        self._file, self._page = file, page

    @classmethod
    def read(cls, file: Path) -> Report:
        """Read a report, in a thread.

        Raises:
            HostError: It cannot be read.
        """
        try:
            with file.open(encoding="utf-8", errors="replace") as stream:
                text, more = stream.read(MOST_CHARACTERS), stream.read(1)
        except OSError as error:
            raise HostError(f"{printable(file)} cannot be read: {error.strerror}.", "Check its owner.") from error
        return cls(file, Page(f"{text}\n\n{GOES_ON}" if more else text))

    def compose(self) -> ComposeResult:
        """The page, and what shows the same in a shell."""
        with Vertical(classes="whole") as box:
            box.border_title = self._file.name
            box.border_subtitle = "escape closes it, arrows scroll"
            yield Prose(self._page)
            yield CommandLine(f"less {shlex.quote(str(self._file))}")
