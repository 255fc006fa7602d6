"""The second step: which files of each project, by language and by globs, with every verdict in sight."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import DataTable, Input, Select, Static

from duotune.errors import printable
from duotune.runs.wording import counted, in_bytes
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.looking import Look, Looks
from duotune.screens.wizard.pane import Obstacle, Pane
from duotune.screens.wizard.verdicts import line, names_of, searched, sentences
from duotune.widgets.field_face import face
from duotune.widgets.field_row import FieldRow
from duotune.widgets.glyphs import glyphs
from duotune.widgets.lines import Lines
from duotune.widgets.rows import Cell, Rows

if TYPE_CHECKING:
    from duotune.data.sieve import Sifted

LANGUAGES_HELP = (
    "The languages of the project's files. Space or enter chooses the one under the cursor, or no longer; without a "
    "choice of one's own, programming languages are trained on."
)
PREVIEW_HELP = (
    "Every file of the project: kept, or left out with the reason. A slash looks for words in paths and reasons; "
    '"kept" and "left out" are such words. Near-duplicates are only found when the data is prepared.'
)
NOTHING_LEFT = "No file is left to train on: widen include, exclude or the languages."


class LanguageList(Rows):
    """The languages; space or Enter chooses the one under the cursor, or no longer."""

    help_text = LANGUAGES_HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "select_cursor", "Choose", id="files.choose", show=False),
    ]


class FilterField(Input):
    """Words to look for; escape gives them up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "No filter", id="files.no_filter", show=False),
        Binding("down", "submit", "To the files", id="files.to_list", show=False),
    ]

    def action_give_up(self) -> None:
        """Show every file again."""
        self.value = ""
        self.post_message(self.Submitted(self, ""))


class FilesPane(Pane):
    """Choose languages and globs of one project after another.

    Args:
        looks: What is known of projects' files.
        is_known: Whether the catalog has a project of that name.
    """

    about = (
        "Left are the languages of the project, with what is kept of each; right is every file with its verdict. "
        "Include and exclude take globs as in .gitignore, with commas between them. All counts follow at once. A slash "
        "looks for words in the list of files."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="files.filter", key_display="/"),
        Binding("f5", "next_project", "Next project", id="files.next_project", show=False),
    ]

    def __init__(self, looks: Looks, is_known: Callable[[str], bool]) -> None:
        super().__init__("files")
        self._looks, self._is_known = looks, is_known
        self._which = ""
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """Project, languages beside files, the file under the cursor, globs, and the sum."""
        with Horizontal(id="which", classes="line"):
            yield Static("project", classes="label")
            yield Select[str]([], allow_blank=True, compact=True, id="project")
        with Horizontal(id="choices"):
            yield LanguageList("", "language", "files", "size", figures=("files", "size"), yielding=("language",))
            with Vertical(id="preview"):
                with Horizontal(id="filter-line"):
                    yield Static("/ ", classes="muted")
                    yield FilterField(placeholder="words of paths or reasons", compact=True, id="filter")
                yield Lines[Any](line, PREVIEW_HELP, id="list")
        yield Static("", id="verdict", markup=False)
        yield FieldRow(face("projects.include"), [])
        yield FieldRow(face("projects.exclude"), [])
        yield Static("", id="sum", markup=False)

    def on_mount(self) -> None:
        """Nothing is looked for yet."""
        self.query_one("#filter-line").display = False

    def show(self, draft: Draft) -> None:
        """Show the verdicts on one of the chosen projects."""
        super().show(draft)
        names = [str(project["name"]) for project in draft.projects]
        self._which = self._which if self._which in names else names[0] if names else ""
        self.query_one("#which").display = len(names) > 1
        select = self.query_one("#project", Select)
        with select.prevent(Select.Changed):
            select.set_options([(name, name) for name in names])
            if self._which:
                select.value = self._which
        self._draw()

    def focus_first(self) -> None:
        """The languages."""
        self.query_one(LanguageList).focus()

    def go_to(self, key: str) -> None:
        """The field of a problem, in its project."""
        index = key.partition("[")[2].partition("]")[0]
        if index.isdigit() and int(index) < len(self.draft.projects):
            self._which = str(self.draft.projects[int(index)]["name"])
            self.show(self.draft)
        if (field := key.rpartition(".")[2]) in ("include", "exclude"):
            self._row(field).go_to()
        else:
            self.focus_first()

    def obstacle(self, draft: Draft) -> Obstacle | None:
        """All projects were looked at, and the filters leave out every file."""
        left = draft.mended is None or not self._looks.nothing_is_left(draft.mended.projects)
        return None if left else Obstacle("projects[0].include", NOTHING_LEFT)

    def command(self, draft: Draft) -> str:
        """What a shell says of a project's files."""
        project = self._project()
        show = f"duotune projects show {shlex.quote(self._which or 'PROJECT')}"
        if not project or self._is_known(self._which):
            return show
        return f"duotune projects add {shlex.quote(self._which)} {shlex.quote(project['source'])} && {show}"

    def refresh_looks(self) -> None:
        """Something more is known of a project."""
        self._draw()

    def action_filter(self) -> None:
        """Look for words."""
        self.query_one("#filter-line").display = True
        self.query_one("#filter").focus()

    def action_next_project(self) -> None:
        """Show the next project."""
        names = [str(project["name"]) for project in self.draft.projects]
        if names:
            self._which = names[(names.index(self._which) + 1) % len(names)]
            self.show(self.draft)

    def on_select_changed(self, event: Select.Changed) -> None:
        """Show another project."""
        event.stop()
        if event.value is not Select.NULL and str(event.value) != self._which:
            self._which = str(event.value)
            self.show(self.draft)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the files that have the words."""
        event.stop()
        self._draw_files()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """To the files; an empty filter goes away."""
        event.stop()
        self.query_one("#filter-line").display = bool(event.value)
        self.query_one(Lines).focus()

    def on_field_row_changed(self, event: FieldRow.Changed) -> None:
        """Other globs."""
        event.stop()
        name, field = self._which, event.key.rpartition(".")[2]

        def change(draft: Draft) -> Draft:
            event.row.told()
            return draft.with_project(name, **{field: event.value})

        self.change(change)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Choose the language under the cursor, or no longer."""
        event.stop()
        from duotune.data.languages import by_name

        language = event.row_key.value
        if not language or by_name(language) is None:
            return
        chosen = self._chosen()
        wanted = chosen - {language} if language in chosen else chosen | {language}
        name = self._which
        languages = names_of(wanted, self._found())
        self.change(lambda draft: draft.with_project(name, languages=languages))

    def on_resize(self) -> None:
        """The sentences on a file are as wide as the pane."""
        self.on_lines_highlighted()

    def on_lines_highlighted(self) -> None:
        """Say why."""
        file, verdict = self.query_one(Lines).chosen, self.query_one("#verdict", Static)
        verdict.update(sentences(file, verdict.content_size.width) if file else "")

    def _project(self) -> dict[str, Any]:
        return next((project for project in self.draft.projects if project["name"] == self._which), {})

    def _row(self, field: str) -> FieldRow:
        return self.query_one(f"#field-projects-{field}", FieldRow)

    def _look(self) -> Look:
        project = self._project()
        return self._looks.of(project.get("source", ""), project.get("ref", "HEAD"))

    def _found(self) -> set[str]:
        survey = self._look().survey
        return set(survey.found) if survey else set()

    def _chosen(self) -> set[str]:
        """The languages that are trained on, of all that are known."""
        from duotune.data.languages import known_languages, resolve
        from duotune.errors import UsageError

        try:
            chosen = resolve(self._project().get("languages", []))
        except UsageError:
            chosen = frozenset()
        return set(chosen) or {language.name for language in known_languages() if language.kept_by_default}

    def _draw(self) -> None:
        project, look = self._project(), self._look()
        for field in ("include", "exclude"):
            row = self._row(field)
            if not row.ahead and row.value != project.get(field, []):
                row.show(project.get(field, []))
            row.problem = self._unmatched(look, field)
        self.query_one(LanguageList).show(self._language_rows(look))
        self._draw_sum(look)
        if look.sifted is not self._shown:
            self._shown = look.sifted
            self._draw_files()

    def _unmatched(self, look: Look, field: str) -> str:
        globs = look.survey.unmatched.get(field, ()) if look.survey and not look.words else ()
        return f"no file matches {', '.join(globs)}" if globs else ""

    def _language_rows(self, look: Look) -> dict[str, tuple[Cell, ...]]:
        if look.error is not None or look.survey is None:
            words = Text(f"{glyphs().bad} cannot be read", "red") if look.error else look.words or "looking …"
            return {"": ("", words, "", "")}
        chosen = self._chosen()
        rows: dict[str, tuple[Cell, ...]] = {}
        for name, (files, size) in look.survey.found.items():
            kept, kept_size = look.survey.by_language.get(name, (0, 0))
            mark = Text(f"[{'x' if name in chosen else ' '}]", "bold" if name in chosen else "")
            style = "" if name in chosen else "dim"
            counts = (f"{kept:,}", in_bytes(kept_size)) if name in chosen else (f"{files:,}", in_bytes(size))
            rows[name] = (mark, Text(printable(name), style), *(Text(count, style) for count in counts))
        return rows

    def _draw_sum(self, look: Look) -> None:
        problem = next((text for key, text in self.draft.problems_in("files").items() if "languages" in key), "")
        if look.error is not None or problem:
            words = printable(f"{look.error.message} {look.error.hint}" if look.error else f"languages: {problem}")
            self.query_one("#sum", Static).update(Content.styled(f"{glyphs().bad} {words}", "$text-error"))
            return
        if look.survey is None:
            self.query_one("#sum", Static).update(look.words or "looking …")
            return
        survey = look.survey
        all_files = sum(files for files, _ in survey.found.values())
        all_bytes = sum(size for _, size in survey.found.values())
        words = f"{survey.files:,} of {counted(all_files, 'file')}, {in_bytes(survey.bytes)}"
        of = f" of {in_bytes(all_bytes)} to train on"
        tokens = f"; about {survey.estimated_tokens:,} tokens"
        wait = "  looking …" if look.words else ""
        self.query_one("#sum", Static).update(Content.assemble((words, "bold"), f"{of}{tokens}{wait}"))

    def _draw_files(self) -> None:
        words = self.query_one("#filter", Input).value.lower().split()
        files: Sequence[Sifted] = self._look().sifted
        if words:
            files = [file for file in files if all(word in searched(file) for word in words)]
        self.query_one(Lines).show_lines(files)
        self.on_lines_highlighted()
