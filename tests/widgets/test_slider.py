"""The slider: it counts places, shows its default, and leaves a value between two places alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from duotune.config.run import RunConfig
from duotune.widgets.field_face import face, keys_of
from duotune.widgets.slider import Slider

RATES = (1e-5, 1e-4, 1e-3, 1e-2)


class Holder(App[None]):
    """One slider."""

    def __init__(self, slider: Slider) -> None:
        super().__init__()
        self.slider = slider
        self.seen: list[float] = []

    def compose(self) -> ComposeResult:
        yield self.slider

    def on_slider_changed(self, event: Slider.Changed) -> None:
        self.seen.append(event.value)


def play(slider: Slider, story: Callable[[Holder, Pilot[Any]], Awaitable[None]]) -> None:
    async def run() -> None:
        app = Holder(slider)
        async with app.run_test(size=(31, 3)) as pilot:
            slider.focus()
            await pilot.pause()
            await story(app, pilot)

    asyncio.run(run())


def test_keys_go_from_place_to_place_and_stop_at_the_ends() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        await pilot.press("right", "right", "left", "left", "left", "home")
        assert app.seen == [1e-3, 1e-2, 1e-3, 1e-4, 1e-5]
        await pilot.press("end", "right")
        assert app.slider.value == 1e-2
        await pilot.press("pagedown")
        assert app.slider.value == 1e-5
        await pilot.press("pageup")
        assert app.slider.value == 1e-2

    play(Slider(RATES, 1e-4), story)


def test_a_value_between_two_places_is_kept_and_then_goes_to_the_next_on_each_side() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        assert app.slider.value == 3
        assert "◌" in app.slider.render().plain
        await pilot.press("left")
        assert app.slider.value == 2
        app.slider.value = 3
        await pilot.press("right")
        assert app.slider.value == 4
        app.slider.value = 100
        await pilot.press("right")
        assert app.slider.value == 8

    play(Slider((1, 2, 4, 8), 3), story)


def test_a_click_and_the_wheel_move_it() -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        await pilot.click(Slider, offset=(30, 0))
        assert app.slider.value == 1e-2
        await pilot.click(Slider, offset=(11, 0))
        assert app.slider.value == 1e-4
        await pilot._post_mouse_events([_wheel()], Slider, offset=(5, 0))
        assert app.slider.value == 1e-3

    def _wheel() -> Any:
        from textual.events import MouseScrollUp

        return MouseScrollUp

    play(Slider(RATES, 1e-5), story)


def test_places_are_even_whatever_the_scale_and_the_default_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(app: Holder, pilot: Pilot[Any]) -> None:
        line = app.slider.render().plain
        assert (len(line), line.index("●"), line.index("┼")) == (31, 10, 20)
        monkeypatch.setenv("DUOTUNE_ASCII", "1")
        assert app.slider.render().plain.isascii()
        assert app.slider.render().plain.index("O") == 10

    play(Slider(RATES, 1e-4, default=1e-3), story)


@pytest.mark.parametrize("key", [key for key in keys_of("") if face(key).steps])
def test_every_step_of_every_field_is_a_value_that_it_may_have(key: str) -> None:
    field = face(key)
    assert list(field.steps) == sorted(field.steps)
    assert field.default in field.steps
    for step in field.steps:
        *sections, name = key.split(".")
        model: Any = RunConfig
        for section in sections:
            model = model.model_fields[section].annotation
        model.__pydantic_validator__.validate_assignment(model.model_construct(), name, step)
