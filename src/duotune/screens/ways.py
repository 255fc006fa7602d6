"""Ways from one screen to another; each screen is imported when it is first gone to."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from textual.app import App
from textual.screen import Screen

from duotune.screens.page import Page

PLACES = {
    "home": "duotune.screens.home.screen:Home",
    "adapters": "duotune.screens.adapters.screen:Adapters",
    "projects": "duotune.screens.projects.screen:Projects",
    "serving": "duotune.screens.serving.screen:Serving",
    "doctor": "duotune.screens.doctor.screen:Doctor",
}
"""Module and class of each place's first screen."""


def screen(address: str, *arguments: Any) -> Screen[Any]:
    """Import a screen by `module:Class`, and make it."""
    module, _, name = address.partition(":")
    made = getattr(import_module(module), name)(*arguments)
    assert isinstance(made, Screen)
    return made


def show(app: App[Any], made: Screen[Any]) -> None:
    """Put a screen on top."""
    app.push_screen(made)


def open_run(app: App[Any], run: str) -> None:
    """Watch a run, or look at one that has ended; Escape comes back."""
    app.push_screen(screen("duotune.screens.monitor.screen:Monitor", run))


def run_started(app: App[Any], run: str, detach: bool) -> None:
    """The cursor of Home goes to a new run; unless nobody stays to watch it, its monitor is opened."""
    from duotune.screens.home.screen import Home

    home = app.screen_stack[0]
    if isinstance(home, Home):
        home.point_at(run)
    if not detach:
        open_run(app, run)


def open_evaluation(app: App[Any], run: str) -> None:
    """The comparison that a run made."""
    app.push_screen(screen("duotune.screens.evaluation.screen:EvaluationPage", run))


def open_adapter(app: App[Any], adapter: str) -> None:
    """One adapter with its versions."""
    app.push_screen(screen("duotune.screens.adapters.screen:AdapterPage", adapter))


def go(app: App[Any], place: str) -> None:
    """A place's first screen; what was opened over it is closed, and keeps what it has to keep."""
    app.switch_mode(place)
    for page in reversed(app.screen_stack[1:]):
        if isinstance(page, Page):
            page.action_back()


def assign(app: App[Any], adapter: str) -> None:
    """The list of projects, to choose those that get an adapter."""
    from duotune.screens.projects.screen import Projects

    go(app, "projects")
    if isinstance(app.screen, Projects):
        app.screen.offer(adapter)


def new_run(app: App[Any], start: str = "") -> None:
    """The wizard.

    Args:
        app: The app.
        start: A TOML file or a run's id to begin with; empty goes on with the draft, or begins anew.
    """
    from duotune.screens.wizard.screen import Wizard

    app.switch_mode("home")
    there = next((one for one in app.screen_stack if isinstance(one, Wizard)), None)
    if there is None:
        app.push_screen(Wizard(start))
        return
    if there.is_leaving:  # two would change one draft, and this one may not have written it yet
        there.afterwards = partial(new_run, app, start)
    while app.screen is not there and not app.screen.is_modal:  # a question waits for its answer
        app.pop_screen()
