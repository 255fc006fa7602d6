"""The first step: which projects an adapter is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from duotune.errors import printable
from duotune.runs.wording import counted, in_bytes
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.looking import Look, Looks
from duotune.screens.wizard.pane import Obstacle, Pane
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell, Rows

if TYPE_CHECKING:
    from duotune.data.survey import Survey

EMPTY = "No project is known yet. F4 adds a folder, a Git repository on this host, or a Git URL."


@dataclass(frozen=True)
class Known:
    """The catalog's projects.

    Attributes:
        projects: As a run has them, by name.
        trained: Names of the adapter versions that were trained on each, newest last.
        folder: Where a tree of folders begins.
    """

    projects: Mapping[str, dict[str, Any]]
    trained: Mapping[str, Sequence[str]]
    folder: Path


class ProjectList(Rows):
    """The list; a space or Enter chooses what is under the cursor, or no longer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "select_cursor", "Choose", id="projects.choose"),
    ]


class ProjectsPane(Pane):
    """Choose among the projects that are known, and add others."""

    about = (
        "Choose the projects that the adapter is trained on: space or enter takes the one under the cursor, or gives "
        "it back. F4 adds a folder, a Git repository on this host or a Git URL; F5 changes source, branch or name of "
        "the one under the cursor. Each is looked at in the background, and what cannot be read says why; F6 "
        "looks once more."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "add", "Add", id="projects.add", tooltip="Add a folder, a Git repository or a Git URL"),
        Binding("f5", "edit", "Change", id="projects.edit", show=False, tooltip="Change source, branch or name"),
        Binding("f6", "look", "Look again", id="projects.look", show=False, tooltip="Read the project's files again"),
    ]

    def __init__(self, looks: Looks) -> None:
        super().__init__("projects")
        self._looks = looks
        self._known = Known({}, {}, Path("/"))
        self._listed: dict[str, dict[str, Any]] = {}
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The list, and what is known of the one under the cursor."""
        headings = ("", "project", "files", "size", "languages", "trained", "commit")
        texts = ("project", "languages", "trained", "commit")
        yield ProjectList(*headings, figures=("files", "size"), yielding=texts)
        yield Static("", id="about", markup=False)

    def on_mount(self) -> None:
        """Read the catalog."""
        self.page.in_background(read_known, self._show_known)

    def show(self, draft: Draft) -> None:
        """Mark what is chosen, and look at it."""
        super().show(draft)
        self._listed = {**self._listed, **{str(project["name"]): project for project in draft.projects}}
        self._problem = "" if draft.projects else self._problem
        self._draw()

    def focus_first(self) -> None:
        """The list, at once: a key may follow in the same moment."""
        self.screen.set_focus(self.query_one(Rows))

    def go_to(self, key: str) -> None:
        """The project that a problem is about."""
        index = key.partition("[")[2].partition("]")[0]
        self._problem = (
            self.draft.problems_in("projects").get(key, "") if index else "Choose a project, or add one (F4)."
        )
        if index.isdigit() and int(index) < len(self.draft.projects):
            self.query_one(Rows).choose(str(self.draft.projects[int(index)]["name"]))
        self._draw()
        self.focus_first()

    def obstacle(self, draft: Draft) -> Obstacle | None:
        """A chosen project that cannot be read, else one that has not been read yet."""
        wait = None
        for index, project in enumerate(draft.projects):
            look = self._looks.of(project["source"], project.get("ref", "HEAD"))
            key, name = f"projects[{index}].source", project["name"]
            if look.error is not None:
                sentence = f"The project {name} cannot be read. Change it (F5), look again (F6), or choose it no more."
                return Obstacle(key, sentence)
            if look.survey is None and look.words and wait is None:
                wait = Obstacle(key, f"The project {name} is being read ({look.words}); then this goes on.", True)
        return wait

    def command(self, draft: Draft) -> str:
        """How a shell knows projects."""
        return "duotune projects list"

    def is_known(self, name: str) -> bool:
        """Whether the catalog has it."""
        return name in self._known.projects

    def action_add(self) -> None:
        """Ask for a project."""
        from duotune.screens.wizard.add import AddProject

        self.app.push_screen(AddProject(self.page, self._known.folder, set(self._listed)), self._added)

    def action_edit(self) -> None:
        """Ask for another source, branch or name of the project under the cursor."""
        from duotune.screens.wizard.add import AddProject

        name = self.query_one(Rows).chosen
        if name in self._listed:
            dialog = AddProject(self.page, self._known.folder, set(self._listed) - {name}, self._listed[name])
            self.app.push_screen(dialog, lambda project: self._edited(str(name), project))

    def action_look(self) -> None:
        """Look at the project under the cursor once more: it may have changed."""
        from duotune.config.run import DataConfig, ProjectConfig

        config = self.draft.mended
        name = self.query_one(Rows).chosen
        if name in self._listed:
            data = config.data if config else DataConfig()
            self._looks.ask(ProjectConfig.model_validate(self._listed[name]), data, again=True)
            self._draw()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Choose the project under the cursor, or no longer."""
        event.stop()
        name = event.row_key.value
        if name not in self._listed:
            self.action_add()
            return
        project = self._listed[name]
        self.change(
            lambda draft: draft.with_projects(
                [other for other in draft.projects if other["name"] != name]
                if any(other["name"] == name for other in draft.projects)
                else [*draft.projects, project]
            )
        )

    def on_data_table_row_highlighted(self) -> None:
        """Say what is known of it."""
        self._problem = ""
        self._describe()

    def refresh_looks(self) -> None:
        """Something more is known of a project."""
        self._draw()

    def _show_known(self, known: Known) -> None:
        self._known = known
        self._listed = {**known.projects, **self._listed}
        from duotune.config.resolve import is_url
        from duotune.config.run import DataConfig, ProjectConfig

        for project in known.projects.values():
            if not is_url(project["source"]) and ":" not in project["source"]:  # what needs no network
                self._looks.ask(ProjectConfig.model_validate(project), DataConfig())
        self._draw()

    def _added(self, project: dict[str, Any] | None) -> None:
        if project is not None:
            self._listed[project["name"]] = project
            self.change(lambda draft: draft.with_projects([*draft.projects, project]))
            self.call_after_refresh(lambda: self.query_one(Rows).choose(project["name"]))

    def _edited(self, name: str, project: dict[str, Any] | None) -> None:
        if project is not None:
            self._listed = {
                new["name"]: new for new in (project if key == name else old for key, old in self._listed.items())
            }
            self.change(
                lambda draft: draft.with_projects([project if p["name"] == name else p for p in draft.projects])
            )

    def _draw(self) -> None:
        chosen = {project["name"] for project in self.draft.projects}
        rows = self.query_one(Rows)
        if not self._listed:
            rows.show({"": ("", "none yet", "", "", "", "", "")})
        else:
            rows.show({name: self._cells(name, name in chosen) for name in self._listed})
        self._describe()

    def _look(self, name: str) -> Look:
        project = self._listed[name]
        return self._looks.of(project["source"], project.get("ref", "HEAD"))

    def _cells(self, name: str, chosen: bool) -> tuple[Cell, ...]:
        look, signs = self._look(name), glyphs()
        mark = Text(f"[{'x' if chosen else ' '}]", "bold" if chosen else "")
        trained = ", ".join(self._known.trained.get(name, ())[-2:])
        if look.error is not None:
            return (mark, name, "", "", Text(f"{signs.bad} cannot be read", "red"), trained, "")
        if look.survey is None or look.sieve is None:
            return (mark, name, "", "", look.words, trained, "")
        survey = look.survey
        shares = language_shares(survey, 2) or "nothing to train on"
        commit = (look.sieve.commit or "its files")[:9]
        return (mark, name, f"{survey.files:,}", in_bytes(survey.bytes), look.words or shares, trained, commit)

    def _describe(self) -> None:
        name = self.query_one(Rows).chosen
        about = self.query_one("#about", Static)
        if self._problem:
            about.update(
                Content.assemble((f"{glyphs().bad} ", "$text-error"), (printable(self._problem), "$text-error"))
            )
        elif name is None or name not in self._listed:
            about.update(EMPTY)
        else:
            about.update(Content("\n").join(self._facts(name)))

    def _facts(self, name: str) -> list[Content]:
        project, look = self._listed[name], self._look(name)
        ref = project.get("ref", "HEAD")
        at = f" at {look.sieve.commit[:12]} ({printable(ref)})" if look.sieve and look.sieve.commit else ""
        lines = [Content.assemble((printable(name), "bold"), f"  {printable(project['source'])}{at}")]
        if look.error is not None:
            sentence = Content.styled(f"{glyphs().bad} {printable(look.error.message)}", "$text-error")
            return [*lines, sentence, Content(printable(look.error.hint))]
        if look.survey is not None:
            found = sum(files for files, _ in look.survey.found.values())
            kept = f"{counted(look.survey.files, 'file')} of {found:,}, {in_bytes(look.survey.bytes)}"
            lines.append(Content(f"{kept}: {language_shares(look.survey, 6) or 'nothing to train on'}"))
        else:
            lines.append(Content(look.words or "choose it to see what is in it"))
        trained = ", ".join(self._known.trained.get(name, ())) or "no adapter yet"
        return [*lines, Content(f"Trained on it: {printable(trained)}")]


def language_shares(survey: Survey, most: int) -> str:
    """`Python 80 %, C 20 %`: of the bytes that are kept."""
    whole = max(1, survey.bytes)
    shares = [
        f"{name} {f'{100 * size / whole:.0f}' if size * 200 >= whole else '<1'} %"
        for name, (_, size) in survey.by_language.items()
    ]
    return ", ".join(shares[:most]) + (" …" if len(shares) > most else "")


def read_known() -> Known:
    """The catalog's projects, and what was trained on them."""
    from duotune.catalog.catalog import open_catalog

    trained: dict[str, list[str]] = {}
    with open_catalog() as catalog:
        projects = {project.name: project.config().model_dump(mode="json") for project in catalog.projects.all()}
        for version in catalog.adapters.versions():
            for project in version.projects:
                trained.setdefault(project.name, []).append(version.name)
    return Known(projects, trained, Path.cwd())
