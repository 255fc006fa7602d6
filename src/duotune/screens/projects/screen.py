"""Projects and assignments: which project gets which adapters, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from duotune.errors import printable
from duotune.screens.filtered import FilteredPage
from duotune.screens.projects.wish import Assigned, command, sentences
from duotune.widgets.bars import CommandLine
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell, Rows

if TYPE_CHECKING:
    from duotune.screens.projects.reading import Assignments, ProjectRow

LOOK_SECONDS = 5.0


class Projects(FilteredPage):
    """The list."""

    place = "projects"
    filter_hint = "part of a name, source or adapter"
    help_text = (
        "Every project with the adapters that it gets, in order of preference, and those that were trained on it. "
        "A project without adapters gets the base model. Space marks several projects, and a assigns to all that are "
        "marked, or to the one under the cursor. What you assign is served from the next apply on."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="projects.mark", priority=False),
        Binding("a", "assign", "Assign", id="projects.assign", tooltip="Choose the adapters that it gets"),
        Binding("plus", "add", "Add", id="projects.add", key_display="+", tooltip="Add a folder or a Git repository"),
        Binding("d", "remove", "Remove", id="projects.remove", show=False, tooltip="Take a project out of the list"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: Assignments | None = None
        self._marked: set[str] = set()
        self._offered = ""

    def content(self) -> ComposeResult:
        """A field to filter by, and the table."""
        yielding = ("gets", "trained on it", "source")
        yield Rows("", "project", *yielding, yielding=yielding, paths=("source",), empty="no project yet; + adds one")
        yield Static("", id="marked", classes="muted", markup=False)

    def command_line(self) -> str:
        """The list."""
        return "duotune projects list"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a project nothing can be done but add one."""
        return action not in ("mark", "assign", "remove", "filter") or bool(self._rows())

    def on_mount(self) -> None:
        """Begin to look."""
        self.every(LOOK_SECONDS, _read_all, self._take, "projects")

    def offer(self, adapter: str) -> None:
        """Propose an adapter for the projects that a person chooses now."""
        self._offered = adapter
        if self.is_mounted:
            self.draw()

    def action_mark(self) -> None:
        """Mark the project under the cursor, or take the mark away."""
        name = self.query_one(Rows).chosen
        if name:
            self._marked ^= {name}
            self.draw()

    def action_back(self) -> None:
        """Close the filter; then take the marks away, and what was proposed."""
        if not self.is_filtering:
            self._marked.clear()
            self._offered = ""
        super().action_back()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open one."""
        from duotune.screens.projects.project import ProjectPage

        if event.row_key.value:
            self.app.push_screen(ProjectPage(event.row_key.value))

    def on_data_table_row_highlighted(self) -> None:
        """Say what does the same for the project under the cursor."""
        self._show_equivalent()

    def _show_equivalent(self) -> None:
        name = self.query_one(Rows).chosen
        row = next((row for row in self._rows() if row.project.name == name), None)
        if row is not None:
            self.show_command(command({row.project.name: row.gets}))

    def action_assign(self) -> None:
        """Choose adapters for what is marked, or for what is under the cursor."""
        from duotune.screens.projects.assigning import Assigning

        names = self._wanted()
        if self._found is None or not names:
            return
        before = {row.project.name: row.gets for row in self._found.rows if row.project.name in names}
        asked = Assigning(before, self._found.choices, self._offered)
        self.query_one(CommandLine).visible = False  # the dialog has one of its own, for what it would do
        self.app.push_screen(asked, lambda wanted: self._assign(before, wanted))

    def action_add(self) -> None:
        """Add a project."""
        from duotune.screens.wizard.add import AddProject

        taken = [row.project.name for row in self._rows()]
        self.app.push_screen(AddProject(self, Path.cwd(), taken), self._add)

    def action_remove(self) -> None:
        """Take the project under the cursor out."""
        name = self.query_one(Rows).chosen
        if name:
            consequences = "Its assignment goes with it. The source is untouched; you can add it again."
            self.ask(f"Take {name} out of the list?", consequences, "Take out", lambda: self._remove(name))

    def _wanted(self) -> list[str]:
        under = self.query_one(Rows).chosen
        known = [row.project.name for row in self._rows()]
        return [name for name in known if name in self._marked] or ([under] if under else [])

    def _assign(self, before: Assigned, wanted: Assigned | None) -> None:
        self.query_one(CommandLine).visible = True
        if wanted is not None:
            self.in_background(lambda: _assign(before, wanted), lambda _: self._assigned(wanted))

    def _assigned(self, wanted: Assigned) -> None:
        self._marked.clear()
        self._offered = ""
        self.say(f"{'; '.join(sentences(wanted))}. Serving (4) shows what would be served.")
        self._refresh()

    def _add(self, project: Mapping[str, Any] | None) -> None:
        if project is None:
            return
        name, source, ref = (str(project[key]) for key in ("name", "source", "ref"))

        def enter() -> None:
            from duotune.screens.projects.reading import add

            add(name, source, ref)

        self.in_background(enter, lambda _: self._refresh())

    def _remove(self, name: str) -> None:
        def take_out() -> None:
            from duotune.screens.projects.reading import remove

            remove(name)

        self.in_background(take_out, lambda _: self._refresh())

    def _refresh(self) -> None:
        self.in_background(_read_all, self._take)

    def _take(self, found: Assignments) -> None:
        self._found = found
        self.draw()
        self.refresh_bindings()

    def _rows(self) -> Sequence[ProjectRow]:
        return self._found.rows if self._found else ()

    def draw(self) -> None:
        """Show the rows that hold what was typed, and how many are marked."""
        wanted = self.wanted
        self._marked &= {row.project.name for row in self._rows()}
        shown = {row.project.name: self._cells(row) for row in self._rows() if wanted in _searched(row)}
        if self._found is not None:
            self.query_one(Rows).show(shown, self.without_rows)
            self._show_equivalent()
        marked = len(self._marked)
        words = f"{marked} marked; a assigns adapters to all of them, esc takes the marks away" if marked else ""
        if self._offered:
            words = f"Who gets {self._offered}? a assigns it to the project under the cursor, space marks several."
            words += f" {marked} marked." if marked else ""
        self.query_one("#marked", Static).update(printable(words))

    def _cells(self, row: ProjectRow) -> tuple[Cell, ...]:
        signs = glyphs()
        mark = signs.good if row.project.name in self._marked else ""
        gets = Text(", ".join(row.gets)) if row.gets else Text("base model", "italic")
        trained = ", ".join(f"{name} ({verdict})" if verdict else name for name, verdict in row.trained)
        return (mark, row.project.name, gets, trained, row.project.source)


def _searched(row: ProjectRow) -> str:
    return f"{row.project.name} {row.project.source} {' '.join(row.gets)}".lower()


def _read_all() -> Assignments:
    from duotune.screens.projects.reading import read_all

    return read_all()


def _assign(before: Assigned, wanted: Assigned) -> None:
    from duotune.screens.projects.reading import assign

    assign(before, wanted)
