"""A report as it would be read in a pager."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from duotune.errors import HostError, printable
from duotune.widgets.log_view import LogView

MOST_LINES = 20_000


class Report(ModalScreen[None]):
    """The report.

    Args:
        file: Where it is.
        lines: Its lines, safe to print.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,o,q", "app.pop_screen", "Close", id="report.close")]
    AUTO_FOCUS = "LogView"

    def __init__(self, file: Path, lines: Sequence[str]) -> None:
        super().__init__()
        self._file, self._lines = file, lines

    @classmethod
    def read(cls, file: Path) -> Report:
        """Read a report, in a thread.

        Raises:
            HostError: It cannot be read.
        """
        try:
            with file.open(encoding="utf-8", errors="replace") as stream:
                return cls(file, [printable(line.rstrip("\n")) for line in islice(stream, MOST_LINES)])
        except OSError as error:
            raise HostError(f"{printable(file)} cannot be read: {error.strerror}.", "Check its owner.") from error

    def compose(self) -> ComposeResult:
        """A view that wraps what is in sight alone."""
        with Vertical(classes="whole") as box:
            box.border_title = self._file.name
            box.border_subtitle = "escape closes it, arrows scroll"
            yield LogView(most=MOST_LINES, follows=False)

    def on_mount(self) -> None:
        """Show it from its beginning, after what shows the same in a shell."""
        command = printable(f"in a shell: less {shlex.quote(str(self._file))}")
        self.query_one(LogView).add([command, "", *self._lines])
