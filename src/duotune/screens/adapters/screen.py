"""All adapters, and one of them with everything that is known of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from duotune.errors import DuotuneError
from duotune.screens import ways
from duotune.screens.adapters import facts
from duotune.screens.filtered import FilteredPage
from duotune.screens.page import BACK, Page
from duotune.widgets.rows import Rows

if TYPE_CHECKING:
    from duotune.adapters.verify import Check
    from duotune.catalog.adapters import Version
    from duotune.screens.adapters.reading import AdapterFacts, AdapterRow

LOOK_SECONDS = 5.0
COLUMNS = ("adapter", "verdict", "state", "base", "trained on", "made", "for")
YIELDING = ("adapter", "base", "trained on", "for")


class Adapters(FilteredPage):
    """The list."""

    place = "adapters"
    filter_hint = "part of a name, project or base model"
    help_text = (
        "Every version of every adapter, the newest first. `serving`: vLLM offers it now. `current`: it is what the "
        "adapter's name means at the next apply. `withheld`: nobody is served it until you publish it. Enter shows "
        "where a version comes from, what it is worth, and what can be done with it; / looks for a name."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="adapters.filter"),
        Binding("n", "app.new_run", "New run", id="adapters.new"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[AdapterRow] = ()

    def content(self) -> ComposeResult:
        """A field to filter by, and the table."""
        yield Rows(*COLUMNS, yielding=YIELDING, paths=COLUMNS[:1], empty="no adapter yet; n trains one")

    def command_line(self) -> str:
        """The list."""
        return "duotune adapters list"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without an adapter there is nothing to look for."""
        return action != "filter" or bool(self._rows)

    def on_mount(self) -> None:
        """Begin to look."""
        self.every(LOOK_SECONDS, _read_all, self._take, "adapters")

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open one."""
        if event.row_key.value:
            ways.open_adapter(self.app, event.row_key.value)

    def _take(self, rows: Sequence[AdapterRow]) -> None:
        self._rows = rows
        self.draw()
        self.refresh_bindings()

    def draw(self) -> None:
        """Show the rows that hold what was typed."""
        shown = [row for row in self._rows if self.wanted in facts.searched(row)]
        self.query_one(Rows).show({row.version.name: facts.cells(row) for row in shown}, self.without_rows)


class AdapterPage(Page):
    """One version.

    Args:
        adapter: `name.vN`, or a name, which means its newest version.
    """

    place = "adapters"
    help_text = (
        "One version of an adapter: what it was trained on and what it is worth; its files with their hashes. "
        "Verify reads every tensor and compares it with the base model's shape, as is done before it is served. "
        "Export copies its files for use elsewhere; Merge folds it into a whole copy of its base model. "
        "Only what was never served can be removed, and its number is never given again."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *BACK,
        Binding("v", "verify", "Verify", id="adapter.verify", tooltip="Check every file and every tensor"),
        Binding("e", "evaluation", "Evaluation", id="adapter.evaluation", tooltip="The comparison, with examples"),
        Binding("p", "publish", "Publish", id="adapter.publish", tooltip="Let a withheld version be served"),
        Binding("a", "assign", "Assign", id="adapter.assign", tooltip="Choose the projects that get it"),
        Binding("x", "export", "Export", id="adapter.export", show=False, tooltip="Copy its files to a directory"),
        Binding("m", "merge", "Merge", id="adapter.merge", show=False, tooltip="Fold it into a copy of its base model"),
        Binding("d", "remove", "Remove", id="adapter.remove", tooltip="Delete a version that never served"),
    ]

    def __init__(self, adapter: str) -> None:
        super().__init__()
        self._adapter = adapter
        self._facts: AdapterFacts | None = None

    def content(self) -> ComposeResult:
        """Checks above when asked for, since they are looked for in sight, and facts."""
        with VerticalScroll():
            yield Static("", id="checks", markup=False)
            yield Static("looking …", id="facts", markup=False)

    def command_line(self) -> str:
        """The same facts."""
        return shlex.join(["duotune", "adapters", "show", self._adapter])

    def on_mount(self) -> None:
        """Begin in the text."""
        self.query_one("#checks").display = False
        self.query_one(VerticalScroll).focus()

    def on_screen_resume(self) -> None:
        """Read it, now and when one comes back: it may have been assigned or served meanwhile."""
        if self._leaving is None:
            self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what is possible."""
        found = self._facts
        if action in ("export", "merge"):
            return found is not None and found.row.version.state == "published"
        if action == "publish":
            return found is not None and found.row.version.state == "withheld"
        if action == "evaluation":
            return found is not None and bool(found.manifest.evaluation)
        if action == "assign":
            return found is not None and found.row.version.state == "published"
        return found is not None or action not in ("verify", "remove")

    def action_verify(self) -> None:
        """Check it."""
        self._show_verified(Content("verifying every file and every tensor …\n"))
        self.show_command(shlex.join(["duotune", "adapters", "verify", self._adapter]))
        self.in_background(
            self._check, lambda found: self._show_verified(facts.checks(found)), "verify", self._no_check
        )

    def action_evaluation(self) -> None:
        """The comparison that its run made."""
        if self._facts:
            ways.open_evaluation(self.app, self._facts.manifest.run)

    def action_assign(self) -> None:
        """To the projects, to choose those that get it."""
        if self._facts:
            ways.assign(self.app, self._facts.row.version.adapter)

    def action_publish(self) -> None:
        """Let it be served; one that was found harmful needs a reason."""
        from duotune.screens.dialogs import Reason

        found = self._facts
        if found is None:
            return
        harmful = found.harmful
        why = "An evaluation found it harmful: say why it shall be served all the same." if harmful else ""
        name = found.row.version.name
        self.app.push_screen(Reason(f"Publish {name}?", why, "Publish", needed=harmful), self._publish)

    def action_export(self) -> None:
        """Copy its files to a directory."""
        from duotune.screens.adapters.handing_over import ask_to_export

        if self._facts:
            ask_to_export(self, self._facts)

    def action_merge(self) -> None:
        """Fold it into its base model, after a look at that."""
        from duotune.screens.adapters.handing_over import ask_to_merge
        from duotune.screens.adapters.reading import plan_to_merge

        self.in_background(lambda: plan_to_merge(self._adapter), lambda found: ask_to_merge(self, found), "merge")

    def action_remove(self) -> None:
        """Delete it, after the consequences were named; say at once what forbids it."""
        if self._facts and self._facts.kept is not None:
            self.show_trouble(self._facts.kept)
        elif self._facts:
            name = self._facts.row.version.name
            self.show_command(shlex.join(["duotune", "adapters", "remove", name]))
            self.ask(f"Remove {name}?", "\n".join(self._facts.consequences), "Remove", self._remove)

    def _look(self) -> None:
        self.in_background(lambda: _read_one(self._adapter), self._show, "facts")

    def _show(self, found: AdapterFacts) -> None:
        self._facts, self._adapter = found, found.row.version.name
        self.show_command(self.command_line())
        self.query_one("#facts", Static).update(facts.page(found))
        self.refresh_bindings()

    def _check(self) -> Sequence[Check]:
        from duotune.screens.adapters.reading import check

        return check(self._adapter)

    def _no_check(self, error: DuotuneError) -> None:
        self.query_one("#checks").display = False
        self.show_trouble(error)

    def _show_verified(self, told: Content) -> None:
        """At the top, and in sight."""
        shown = self.query_one("#checks", Static)
        shown.update(told)
        shown.display = True
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def _publish(self, reason: str | None) -> None:
        if reason is not None:
            self.in_background(lambda: _publish(self._adapter, reason), self._published)

    def _published(self, version: Version) -> None:
        self.say(f"Published {version.name}. Next: assign it to projects (a), then apply it in Serving (4).")
        self._look()

    def _remove(self) -> None:
        self.in_background(lambda: _delete(self._adapter), lambda _: self._removed())

    def _removed(self) -> None:
        self.say(f"Removed {self._adapter}.")
        self.leave()


def _read_all() -> Sequence[AdapterRow]:
    from duotune.screens.adapters.reading import read_all

    return read_all()


def _read_one(name: str) -> AdapterFacts:
    from duotune.screens.adapters.reading import read_one

    return read_one(name)


def _publish(name: str, reason: str) -> Version:
    from duotune.screens.adapters.reading import let_publish

    return let_publish(name, reason)


def _delete(name: str) -> None:
    from duotune.screens.adapters.reading import delete

    delete(name)
