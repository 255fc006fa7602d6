"""What the wizard's steps have in common: a pane that shows the draft and asks for changes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.containers import Vertical
from textual.message import Message

from duotune.screens.page import Page
from duotune.screens.wizard.draft import Draft
from duotune.widgets.field_row import FieldRow
from duotune.widgets.form import Form


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
    """A step that is a form."""

    fresh = True

    def show(self, draft: Draft) -> None:
        """Values and problems of all rows; what is missing is only told once the step was to be left."""
        before, self.draft = self.draft, draft
        values = draft.values()
        problems = draft.problems_in(self.id or "")
        for row in self.query(FieldRow):
            key = row.face.key
            if values.get(key) != row.value and (key in values or before.value(key) is not None or row.value is None):
                row.show(values.get(key))
            missing = self.fresh and values.get(key) is None
            row.problem = "" if missing else problems.get(key, "")

    def focus_first(self) -> None:
        """The first row."""
        self.query(FieldRow).first().go_to()

    def go_to(self, key: str) -> None:
        """The row of a key; it is shown when it is among the settings that are folded away."""
        self.fresh = False
        self.show(self.draft)
        row = self.query_one(Form).row(key)
        if row is None:
            self.focus_first()
            return
        for above in row.ancestors:
            if hasattr(above, "collapsed"):
                above.collapsed = False
        self.call_after_refresh(row.go_to)

    def on_field_row_changed(self, event: FieldRow.Changed) -> None:
        """A field has another value: an empty one is none."""
        event.stop()
        empty = event.value == "" and (row := self.query_one(Form).row(event.key)) is not None and row.face.required
        self.put(event.key, None if empty else event.value)
