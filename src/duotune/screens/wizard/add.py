"""The dialog that adds a project: a folder from a tree, or a path or a Git URL that is typed."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from duotune.config.resolve import project_name, resolve_source
from duotune.config.run import ProjectConfig
from duotune.errors import ConfigError, DuotuneError, SourceError, UsageError, printable
from duotune.screens.page import Page
from duotune.screens.wizard.folders import FolderTree
from duotune.widgets.field_face import face
from duotune.widgets.field_row import Exact


class AddProject(ModalScreen[dict[str, Any] | None]):
    """Ask for a project; what cannot be one is said here, and stays as it was typed.

    A path is opened first, at its branch, tag or commit. An address is not: whether it answers is seen when the project
    is looked at.

    Args:
        page: Whose threads are used.
        begin: The folder that the tree begins with.
        taken: Names that other projects have.
        project: The project that is changed; None adds one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="add.cancel"),
        Binding("f8", "accept", "Add", id="add.accept"),
        Binding("up", "app.focus_previous", id="add.previous", show=False),
        Binding("down", "app.focus_next", id="add.next", show=False),
    ]
    CSS_PATH = "../../assets/wizard.tcss"
    AUTO_FOCUS = "#source"
    help_text = (
        "Name a folder, a Git repository on this host or the URL of one, or choose a folder from the tree: enter opens "
        "it and takes it, backspace goes one folder up. Of a repository, what is committed at the branch, tag or "
        "commit counts. Passwords do not belong into a URL: git's credential helpers keep them."
    )

    def __init__(
        self, page: Page, begin: Path, taken: Collection[str] = (), project: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        self._page, self._begin, self._taken, self._project = page, begin, taken, project or {}

    def compose(self) -> ComposeResult:
        """Three fields, the tree, and room for what is wrong."""
        with Vertical(classes="dialog -tall") as box:
            box.border_title = "Change a project" if self._project else "Add a project"
            box.border_subtitle = "F8 takes it, escape leaves"
            for key, label in (("source", "source"), ("ref", "branch, tag, commit"), ("name", "name")):
                with Horizontal(classes="line"):
                    yield Static(label, classes="label", markup=False)
                    about = face(f"projects.{key}").full_help
                    yield Exact(str(self._project.get(key, "")), about, _PLACEHOLDERS[key], id=key)
            yield Static("", id="problem", markup=False)
            yield FolderTree(self._page, self._begin, id="tree")
            with Horizontal(classes="buttons"):
                yield Button("Cancel (escape)", id="cancel", compact=True)
                yield Button("Take it (F8)", id="accept", variant="primary", compact=True)

    def on_folder_tree_taken(self, event: FolderTree.Taken) -> None:
        """Take a folder of the tree as the source."""
        event.stop()
        self.query_one("#source", Input).value = str(event.path)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes it."""
        event.stop()
        self.action_accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it, or leave."""
        event.stop()
        if event.button.id == "accept":
            self.action_accept()
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        """Leave all as it was."""
        self.dismiss(None)

    def action_accept(self) -> None:
        """Check it in a thread."""
        source, ref, name = (self.query_one(f"#{key}", Input).value.strip() for key in ("source", "ref", "name"))
        self.query_one("#problem", Static).update("looking …")
        work = partial(checked_project, self._project, source, ref or "HEAD", name, self._taken)
        self._page.in_background(work, self._accepted, trouble=self._refused)

    def _accepted(self, project: dict[str, Any]) -> None:
        if self.is_current:
            self.dismiss(project)

    def _refused(self, error: DuotuneError) -> None:
        if self.is_attached:
            self.query_one("#problem", Static).update(f"{error.message}\n{error.hint}".strip())
            self.set_focus(self.query_one(f"#{error.field if isinstance(error, BadField) else 'source'}", Input))


_PLACEHOLDERS = {
    "source": "/srv/git/billing or https://…/billing.git",
    "ref": "HEAD, the newest commit of the main branch",
    "name": "the last part of the source",
}


class BadField(UsageError):
    """What was typed into one field cannot be.

    Attributes:
        field: Its name.
    """

    def __init__(self, field: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.field = field


def checked_project(before: dict[str, Any], source: str, ref: str, name: str, taken: Collection[str]) -> dict[str, Any]:
    """A project as the draft has it; a path was opened, an address was not.

    Raises:
        BadField: The source or the ref cannot be read, or the name is none or taken.
        DuotuneError: The source is an address that is not accepted.
    """
    from duotune.config.load import parse
    from duotune.sources.mirror import needs_mirror

    if not source:
        raise BadField("source", "No source is named.", "Name a folder, a Git repository or a Git URL.")
    remote = needs_mirror(source)
    source = resolve_source(source)
    given = {**before, "source": source, "ref": ref, "name": name or project_name(source)}
    try:
        parse(ProjectConfig, given, "The project")
    except ConfigError as error:
        problem = error.problems[0]
        field = problem.key if problem.key in _PLACEHOLDERS else "source"
        raise BadField(field, f"{problem.key} {problem.reason}.", "") from None
    if given["name"] in taken:
        raise BadField(
            "name",
            f"There is another project {printable(given['name'])}.",
            "Give this one a name of its own, in the last field.",
        )
    if not remote:
        _try_to_open(source, ref)
    return given


def _try_to_open(source: str, ref: str) -> None:
    from duotune.sources.open import open_source

    try:
        open_source(source, ref).close()
    except SourceError as error:
        try:
            open_source(source).close()
        except SourceError:
            raise BadField("source", error.message, error.hint) from error
        raise BadField("ref", error.message, error.hint) from error
