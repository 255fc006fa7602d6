"""A row of a form: slider, choice and exact field show one value; a bad one stays as it was typed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from duotune.widgets.choice import Choice
from duotune.widgets.field_face import face
from duotune.widgets.field_row import Exact, FieldRow
from duotune.widgets.form import Form, HelpLine
from duotune.widgets.slider import Slider


class Holder(App[None]):
    """A form."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it as an instance's

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.keys = keys
        self.seen: list[tuple[str, Any]] = []

    def compose(self) -> ComposeResult:
        with Form():
            for key in self.keys:
                yield FieldRow(face(key))
        yield HelpLine()

    def on_field_row_changed(self, event: FieldRow.Changed) -> None:
        self.seen.append((event.key, event.value))

    @property
    def row(self) -> FieldRow:
        return self.query(FieldRow).first()

    @property
    def text(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.screen._compositor.render_strips())


def play(story: Callable[[Holder, Pilot[Any]], Awaitable[None]], *keys: str, size: tuple[int, int] = (80, 24)) -> None:
    async def run() -> None:
        app = Holder(*keys)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(app, pilot)

    asyncio.run(run())


async def retype(app: Holder, pilot: Pilot[Any], text: str) -> None:
    exact = app.row.query_one(Exact)
    exact.focus()
    await pilot.press("home", "ctrl+k")
    exact.post_message(events.Paste(text))
    await pilot.pause()


def test_slider_and_exact_field_follow_each_other() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        app.query_one(Slider).focus()
        await pilot.press("right")
        assert app.query_one(Exact).value == "32"
        assert "default 16" in app.text
        await retype(app, pilot, "100")
        assert app.query_one(Slider).value == 100
        assert "◌" in app.text
        app.query_one(Slider).focus()
        await pilot.press("left")
        assert app.seen[0] == ("lora.r", 32)
        assert app.seen[-1] == ("lora.r", 64)
        assert app.query_one(Exact).value == "64"

    play(story, "lora.r")


def test_a_number_that_is_gone_to_is_typed_anew() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        app.query_one(Slider).focus()
        await pilot.press("home", "right", "right", "tab", "6", "4")
        assert app.query_one(Exact).value == "64"
        app.query_one(Slider).focus()
        await pilot.press("right", "pageup")
        exact = app.query_one(Exact)
        assert exact.cursor_position == len(exact.value)

    play(story, "lora.r")


def test_what_is_no_number_stays_and_its_problem_stands_below() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        await retype(app, pilot, "many [b]")
        assert app.seen[-1] == ("lora.r", "many [b]")
        app.row.problem = "must be a whole [red]number"
        await pilot.pause()
        assert "many [b]" in app.text
        assert "✗ The r must be a whole [red]number." in app.text
        app.row.problem = ""
        await pilot.pause()
        assert "must be" not in app.text

    play(story, "lora.r")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("training.learning_rate", "3e-4", 3e-4),
        ("training.learning_rate", "0.000123456789012", 0.000123456789012),
        ("training.learning_rate", "fast", "fast"),
        ("training.max_steps", "12", 12),
        ("training.max_steps", "1.5", "1.5"),
        ("projects.include", "src/, *.py", ["src/", "*.py"]),
        ("projects.include", "", []),
        ("lora.target_modules", "all-linear", "all-linear"),
        ("lora.target_modules", "q_proj, v_proj", ["q_proj", "v_proj"]),
        ("lora.use_rslora", "on", True),
        ("data.location", " s3://bucket/x ", "s3://bucket/x"),
    ],
)
def test_texts_are_read_as_the_field_declares(key: str, text: str, value: object) -> None:
    field = face(key)
    assert field.read(text) == value
    assert type(field.read(text)) is type(value)
    assert field.read(field.write(value)) == value


def test_a_choice_shows_all_its_words_and_marks_one() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        assert "● auto  ○ bfloat16  ○ float32" in app.text
        app.query_one(Choice).focus()
        await pilot.press("right")
        assert "○ auto  ● bfloat16" in app.text
        await pilot.press("left", "left")
        assert app.seen[-1] == ("model.dtype", "float32")
        await pilot.click(Choice, offset=(1, 0))
        assert app.seen[-1] == ("model.dtype", "auto")

    play(story, "model.dtype")


def test_four_parts_fit_80_columns_and_the_focused_field_explains_itself() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        line = next(line for line in app.text.splitlines() if "accumulation" in line)
        assert len(line) <= 80
        assert line.endswith("• default")
        assert line.startswith("accumulation steps ")
        app.query_one(Slider).focus()
        await pilot.press("down")
        assert "training.gradient_accumulation_steps: Forward passes per optimizer step" in app.text
        await pilot.press("up")
        assert "lora.r: Rank" in app.text
        focused = app.focused
        assert isinstance(focused, Slider)
        assert "In a TOML file: lora.r; 1 to 512; default 16" in focused.help_text

    play(story, "lora.r", "training.gradient_accumulation_steps")
