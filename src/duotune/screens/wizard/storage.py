"""The third step: what examples are made of the files, and where data and adapters are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from duotune.errors import printable
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.pane import FormPane, Obstacle
from duotune.widgets.field_face import keys_of
from duotune.widgets.form import Form, HelpLine
from duotune.widgets.glyphs import glyphs

SPLIT = ("sequence_length", "validation_fraction", "test_fraction", "held_out_after", "max_file_bytes")
LOCATIONS = ("data.location", "adapter.location")
MORE = (*keys_of("data.prompt_loss_weight"), "data.answer_end_weight", "data.seed")


@dataclass(frozen=True)
class Tested:
    """What a look at a location found.

    Attributes:
        location: As it was tested.
        good: Whether it can be written.
        sentences: What was found, and what to do.
        key: The field that names it; empty for what is no location.
    """

    location: str
    good: bool
    sentences: str
    key: str = ""


class StoragePane(FormPane):
    """Recipes, rows, privacy, places."""

    about = (
        "Recipes say what examples are made of the files, as shares of the text; the line below them says what they "
        "come to. Where a file has no function, comment or heading, its part goes to the others. Longer rows "
        "show the model more at once and need more memory. Data and adapters are kept in a folder, or on S3 as "
        "s3://bucket/prefix; F5 writes a small probe there, deletes it again, and says what failed. Keys of S3 are "
        "never typed here: they are read from an AWS profile or credentials file, or from this shell's AWS_ variables."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "test", "Test connection", id="data.test", tooltip="Write a small probe to both locations"),
    ]

    more = MORE

    def __init__(self) -> None:
        super().__init__("data")
        self._found: Sequence[Tested] = ()

    def compose(self) -> ComposeResult:
        """The form, and the help of its focused field."""
        yield Form()
        yield HelpLine()

    def rows(self) -> Iterable[Widget]:
        """Places, recipes, rows, privacy."""
        yield Static("Where data and adapters are kept", classes="heading")
        for key in LOCATIONS:
            yield self.field(key, "empty: own folder")
        yield Button("Test connection  (F5)", id="test", compact=True)
        tested = Static("", id="tested", markup=False)
        tested.display = False
        yield tested
        yield Static("Recipes: relative shares of the text", classes="heading")
        yield from map(self.field, keys_of("data.recipes"))
        yield Static("", id="shares", markup=False)
        yield Static("Rows, and files that are held out", classes="heading")
        yield from (self.field(f"data.{name}") for name in SPLIT)
        yield Static("Secrets and personal data", classes="heading")
        yield self.field("data.secrets")
        yield self.field("data.personal_data")

    def show(self, draft: Draft) -> None:
        """Values and problems; what was tested stays until a location changes."""
        before = [self.draft.value(key) for key in LOCATIONS]
        super().show(draft)
        if not self.query("#tested"):
            return
        if before != [draft.value(key) for key in LOCATIONS]:
            self._show_tested([])
        self.query_one("#shares", Static).update("\n".join(shares_in_words(draft)))

    def obstacle(self, draft: Draft) -> Obstacle | None:
        """A location that was tested and cannot be written."""
        bad = next((one for one in self._found if one.key and not one.good), None)
        return (
            Obstacle(bad.key, "A location cannot be written: see below. F5 tests it again.")
            if bad is not None
            else None
        )

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Test."""
        event.stop()
        self.action_test()

    def action_test(self) -> None:
        """See whether both locations can be written, in a thread."""
        locations = tuple(str(self.draft.value(key) or "") for key in LOCATIONS)
        self._tested(Content("connecting …"))
        self.query_one("#tested").scroll_visible()
        self._found = ()
        work = partial(test_locations, *locations)
        self.page.in_background(work, partial(self._show_found, locations), "test")

    def _show_found(self, locations: Sequence[str], tested: Sequence[Tested]) -> None:
        now = tuple(str(self.draft.value(key) or "") for key in LOCATIONS)
        self._show_tested(tested if locations == now else ())

    def _show_tested(self, tested: Sequence[Tested]) -> None:
        self._found = tested
        signs = glyphs()
        lines = []
        for one in tested:
            sign, style = (signs.good, "$text-success") if one.good else (signs.bad, "$text-error")
            lines.append(Content.assemble((f"{sign} ", style), printable(one.sentences)))
        self._tested(Content("\n").join(lines))

    def _tested(self, words: Content) -> None:
        found = self.query_one("#tested", Static)
        found.update(words)
        found.display = bool(words.plain)


def shares_in_words(draft: Draft) -> list[str]:
    """What the shares of the recipes come to, for code and for documents; nothing while one of them is wrong."""
    from duotune.data.recipes import divided

    if draft.mended is None or any(key.startswith("data.recipes") for key in draft.problems_in("data")):
        return []
    return [line[0].upper() + line[1:] for line in divided(draft.mended.data.recipes.model_dump())]


def test_locations(data: str, adapters: str) -> list[Tested]:
    """Write to both locations and delete it again; an empty one is the host's default, or duotune's own folder."""
    from duotune import paths
    from duotune.config.load import load_host_config
    from duotune.storage.credentials import keys_found

    defaults = load_host_config().defaults
    places = {
        "Data": data or defaults.data_location or str(paths.datasets()),
        "Adapters": adapters or defaults.adapter_location or str(paths.adapters()),
    }
    found = [_test(name, location, key) for key, (name, location) in zip(LOCATIONS, places.items(), strict=True)]
    if any(location.startswith("s3://") for location in places.values()):
        found.append(Tested("", bool(words := keys_found()), f"Keys: {words or 'none found.'} {_KEYS}"))
    return found


_KEYS = (
    "They are read from an AWS profile or credentials file (AWS_PROFILE), or from AWS_ variables; duotune keeps none."
)


def _test(name: str, location: str, key: str) -> Tested:
    from duotune.errors import DuotuneError
    from duotune.storage.locations import open_storage

    try:
        open_storage(location).check_writable()
    except DuotuneError as error:
        return Tested(location, False, f"{name}: {error.message} {error.hint}".strip(), key)
    return Tested(location, True, f"{name}: {location} can be written.", key)
