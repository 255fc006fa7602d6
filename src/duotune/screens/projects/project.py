"""One project: its file types, what is kept of them and why not, and its adapters."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from duotune.errors import DuotuneError, printable
from duotune.screens.page import BACK, Page

if TYPE_CHECKING:
    from duotune.catalog.projects import Project
    from duotune.data.survey import Survey

LABEL = 15


class ProjectPage(Page):
    """One project.

    Args:
        project: Its name.
    """

    place = "projects"
    help_text = (
        "What a run would keep of this project, by file type, and what it would leave out and why. Type the path of a "
        "file below to see why that one is kept or left out."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *BACK,
        Binding("slash", "explain", "Explain a file", id="project.explain", tooltip="Why it is kept or left out"),
    ]

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def content(self) -> ComposeResult:
        """Facts, and a question about a file."""
        with VerticalScroll():
            yield Static(f"counting the files of {printable(self._project)} …", id="facts", markup=False)
        yield Input(placeholder="path of a file: why is it kept, or left out?", id="path", compact=True)
        yield Static("", id="why", markup=False)

    def command_line(self) -> str:
        """The same facts."""
        return shlex.join(["duotune", "projects", "show", self._project])

    def on_mount(self) -> None:
        """Count."""
        self.query_one(VerticalScroll).focus()
        self.in_background(self._look, self._show, "look", self._failed)

    def action_explain(self) -> None:
        """To the field."""
        self.query_one("#path").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Explain a file."""
        path = event.value.strip()
        if path:
            self.show_command(f"{self.command_line()} --explain {shlex.quote(path)}")
            self.query_one("#why", Static).update("looking …")
            self.in_background(lambda: self._why(path), self._show_why, trouble=self._no_why)

    def _look(self) -> tuple[Project, str | None, Survey]:
        from duotune.screens.projects.reading import look

        return look(self._project)

    def _why(self, path: str) -> Sequence[str]:
        from duotune.screens.projects.reading import why

        return why(self._project, path)

    def _show(self, found: tuple[Project, str | None, Survey]) -> None:
        self.query_one("#facts", Static).update(Content("\n").join(_lines(*found)))

    def _failed(self, error: DuotuneError) -> None:
        self.query_one("#facts", Static).update(f"{error.message}\n{error.hint}")

    def _show_why(self, sentences: Sequence[str]) -> None:
        self.query_one("#why", Static).update("\n".join(map(printable, sentences)))

    def _no_why(self, error: DuotuneError) -> None:
        self._show_why([error.message, error.hint])


def _lines(project: Project, commit: str | None, found: Survey) -> Iterator[Content]:
    from duotune.runs.wording import counted, in_bytes

    def fact(label: str, text: str) -> Content:
        return Content.assemble((label.ljust(LABEL), "$text-muted"), printable(text))

    state = f"commit {commit}" if commit else "a folder without commits: its files as they are now"
    yield fact("source", f"{project.source}, {state}")
    yield fact("to train on", f"{counted(found.files, 'file')}, {in_bytes(found.bytes)}")
    for setting in ("include", "exclude", "languages"):
        if values := getattr(project, setting):
            yield fact(setting, ", ".join(values))
    for setting, globs in found.unmatched.items():
        yield Content.styled(
            printable(f"No file matches what its {setting} names: {', '.join(globs)}"), "$text-warning"
        )
    yield Content.styled(f"\n{'file type':<22}{'files':>9}{'size':>10}{'kept':>9}{'size':>10}", "bold $accent")
    for name, (files, size) in sorted(found.found.items(), key=lambda one: -found.by_language.get(one[0], (0, 0))[1]):
        kept, kept_size = found.by_language.get(name, (0, 0))
        left = in_bytes(kept_size) if kept else ""
        yield Content(f"{printable(name):<22.22}{files:>9,}{in_bytes(size):>10}{kept or '-':>9}{left:>10}")
    if found.rejected:
        yield Content.styled(f"\n{'left out because':<40}{'files':>9}", "bold $accent")
    for reason, count in found.rejected.items():
        yield Content(f"{printable(reason.replace('-', ' ')):<40}{count:>9,}")
    if not found.complete:
        yield Content.styled("\nNot every file was read: of the others the name decided.", "italic")
