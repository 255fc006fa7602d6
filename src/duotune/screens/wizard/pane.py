"""What the wizard's steps have in common: a pane that shows the draft and asks for changes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Collapsible

from duotune.screens.page import Page
from duotune.screens.wizard.draft import Draft
from duotune.widgets.field_face import face
from duotune.widgets.field_row import FieldRow
from duotune.widgets.form import Form
from duotune.widgets.glyphs import glyphs

MORE = "More settings"
MOST_NAMES = 2
"""So many names of settings fit into 80 columns, whichever they are."""


@dataclass(frozen=True)
class Obstacle:
    """What keeps one from going on, beyond the fields that are wrong in themselves.

    Attributes:
        key: The field that it is about.
        sentence: What is wrong, or what is waited for; empty where the step shows it beside the field.
        waits: Whether it is not known yet, and being found out.
    """

    key: str
    sentence: str
    waits: bool = False

    @property
    def note(self) -> str:
        """The sentence with its sign; empty where there is none."""
        return f"{glyphs().warning if self.waits else glyphs().bad} {self.sentence}" if self.sentence else ""


class Pane(Vertical):
    """One step. It holds no truth of its own: it shows the draft that the wizard gives it.

    Attributes:
        draft: The draft as it was last shown.
        about: What F1 says of this step.
    """

    about = ""

    class Changed(Message):
        """The draft shall change."""

        def __init__(self, change: Callable[[Draft], Draft]) -> None:
            super().__init__()
            self.change = change

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.draft = Draft()

    @property
    def page(self) -> Page:
        """The wizard, whose threads are used."""
        page = self.screen
        assert isinstance(page, Page)
        return page

    def enter(self, draft: Draft) -> None:
        """This step is gone to."""
        self.show(draft)
        self.focus_first()

    def show(self, draft: Draft) -> None:
        """The draft has changed."""
        self.draft = draft

    def focus_first(self) -> None:
        """Put the focus where one begins."""

    def go_to(self, key: str) -> None:
        """Put the focus on the field of a key."""
        self.focus_first()

    def obstacle(self, draft: Draft) -> Obstacle | None:
        """What is known to be bad, or is being found out, though each field is right in itself."""
        return None

    def command(self, draft: Draft) -> str:
        """What does the same in a shell."""
        return "duotune config new > run.toml"

    def change(self, change: Callable[[Draft], Draft]) -> None:
        """Ask for another draft."""
        self.post_message(self.Changed(change))

    def put(self, key: str, value: Any) -> None:
        """Ask for another value of a field."""
        self.change(lambda draft: draft.put(key, value))


class FormPane(Pane):
    """A step that is a form. Its rows are made when it is first gone to, and those folded away when they are unfolded.

    Attributes:
        fresh: Whether nobody has tried to leave it: what is missing is not told before that.
        built: Whether its rows are there.
        more: Keys of the fields that are folded away.
    """

    fresh = True
    built = False
    more: tuple[str, ...] = ()

    def rows(self) -> Iterable[Widget]:
        """What the form holds, above what is folded away."""
        return ()

    def field(self, key: str, note: str = "") -> FieldRow:
        """The row of a field, with its value in the draft."""
        return FieldRow(face(key), self.draft.value(key), note)

    def enter(self, draft: Draft) -> None:
        """This step is gone to."""
        self.draft = draft
        if not self.built:
            self.built = True
            self.query_one(Form).mount(*self.rows(), _folded())
        self._then(lambda: self.show(self.draft))
        self.focus_first()

    def show(self, draft: Draft) -> None:
        """Values and problems of all rows."""
        before, self.draft = self.draft, draft
        values = draft.values()
        problems = draft.problems_in(self.id or "")
        for row in self.query(FieldRow):
            key = row.face.key
            if row.ahead:
                continue
            if values.get(key) != row.value and (key in values or before.value(key) is not None or row.value is None):
                row.show(values.get(key))
            missing = self.fresh and values.get(key) is None
            row.problem = "" if missing else problems.get(key, "")
        for folded in self.query(Collapsible):
            folded.title = _more(self.more, values)

    def focus_first(self) -> None:
        """The first row."""
        self._then(lambda: self.query(FieldRow).first().go_to())

    def go_to(self, key: str) -> None:
        """The row of a key; it is shown when it is among the settings that are folded away."""
        self.fresh = False
        if key in self.more:
            self._unfold()
        self._then(partial(self._correct, key))

    def on_collapsible_expanded(self, event: Collapsible.Expanded) -> None:
        """Make the rows that were folded away."""
        event.stop()
        self._unfold()

    def _correct(self, key: str) -> None:
        self.show(self.draft)
        row = self.query_one(Form).row(key)
        if row is None:
            self.query(FieldRow).first().go_to()
        else:
            self.call_after_refresh(row.go_to)

    def _unfold(self) -> None:
        for folded in self.query(Collapsible):
            folded.collapsed = False
            contents = folded.query_one(Collapsible.Contents)
            if not contents.children:
                contents.mount(*(self.field(key) for key in self.more))
                contents.call_next(self._then, lambda: self.show(self.draft))

    def _then(self, act: Callable[[], None]) -> None:
        """Do something once the rows are there: what a widget mounts comes before what it is told to call next."""
        form = self.query_one(Form)
        folded = next(iter(form.query(Collapsible)), None)
        waits = folded.query_one(Collapsible.Contents) if folded is not None and folded.is_mounted else form
        form.call_next(waits.call_next, act)

    def on_field_row_changed(self, event: FieldRow.Changed) -> None:
        """A field has another value: an empty one is none."""
        event.stop()
        value = None if event.value == "" and event.row.face.required else event.value

        def change(draft: Draft) -> Draft:
            event.row.told()
            return draft.put(event.key, value)

        self.change(change)


def _more(keys: Iterable[str], values: Mapping[str, Any]) -> str:
    """What stands on what is folded away: how many settings differ from their defaults, and some of their names."""
    changed = [key.rpartition(".")[2] for key in keys if key in values and values[key] != face(key).default]
    if not changed:
        return MORE
    names = ", ".join(changed[:MOST_NAMES]) + (", …" if len(changed) > MOST_NAMES else "")
    return f"{MORE}: {len(changed)} changed ({names})"


def _folded() -> Collapsible:
    closed, opened = ("▶", "▼") if glyphs().braille else ("+", "-")
    return Collapsible(title=MORE, collapsed_symbol=closed, expanded_symbol=opened)
