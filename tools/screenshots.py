"""Takes the pictures in docs/screens from the app itself, over a home with real runs such as that of `make demo`.

    python tools/screenshots.py [--home .demo/home] [--into docs/screens] [--size 120x34] [--theme textual-dark]

Each picture is an SVG. With --every it takes every screen at 80x24 and 200x50 in a dark and a light theme into
folders of their own, to be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

WIZARD = ("n", "f10", "y", "space")
"""To the first step, on an empty draft, with the first project chosen."""
MODEL = (*WIZARD, "f8", "f8", "f8", "f4", "enter")
SCREENS: dict[str, tuple[str, Sequence[str]]] = {
    "home": ("Home: this host, its runs, adapters, and what is served", ()),
    "help": ("Help for the screen and the field with the focus", ("f1",)),
    "wizard-projects": ("New run, step 1: projects", WIZARD),
    "wizard-files": ("New run, step 2: files", (*WIZARD, "f8")),
    "wizard-data": ("New run, step 3: data and storage", (*WIZARD, "f8", "f8")),
    "wizard-model": ("New run, step 4: model and hyperparameters", MODEL),
    "wizard-review": ("New run, step 5: the plan", (*MODEL, "f8")),
    "monitor": ("A run: stages and what came of it", ("enter",)),
    "monitor-loss": ("A run: its loss", ("enter", "right")),
    "monitor-data": ("A run: what became of the files", ("enter", "left", "left")),
    "evaluation": ("An evaluation: verdict and figures with their intervals", ("enter", "e")),
    "evaluation-examples": ("An evaluation: answers side by side", ("enter", "e", "left")),
    "adapters": ("Adapters", ("2",)),
    "adapter": ("One adapter, verified", ("2", "enter", "v")),
    "projects": ("Projects and assignments", ("3",)),
    "assigning": ("Assigning adapters", ("3", "a")),
    "serving": ("Serving: now", ("4",)),
    "serving-plan": ("Serving: the plan", ("4", "p")),
    "doctor": ("Doctor", ("5",)),
}
SIZES = ((80, 24), (200, 50))
THEMES = ("textual-dark", "textual-light")
NEUTRAL = "/opt/duotune"
"""Stands for the folder of the checkout."""


def main() -> None:
    """Take them."""
    arguments = _arguments()
    os.environ["DUOTUNE_HOME"] = str(arguments.home.absolute())
    os.environ["DUOTUNE_HOST_CONFIG"] = "/etc/duotune/duotune.toml"  # not where this user's own one would be
    os.environ["TZ"] = "UTC"
    names = arguments.only or list(SCREENS)
    if arguments.every:
        for size in SIZES:
            for theme in THEMES:
                folder = arguments.into / f"{size[0]}x{size[1]}-{theme}"
                for name in names:
                    asyncio.run(_take(name, folder, size, theme))
        return
    columns, rows = (int(number) for number in arguments.size.split("x"))
    for name in names:
        asyncio.run(_take(name, arguments.into, (columns, rows), arguments.theme))
    lines = [f"## {title}\n\n![{title}]({name}.svg)\n" for name, (title, _) in SCREENS.items()]
    text = "# The app, screen by screen\n\nMade by `python tools/screenshots.py` over the home of `make demo`.\n\n"
    (arguments.into / "README.md").write_text(text + "\n".join(lines))


async def _take(name: str, into: Path, size: tuple[int, int], theme: str) -> None:
    from duotune.app import DuotuneApp

    title, keys = SCREENS[name]
    app = DuotuneApp(land_on_run=False)
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            for _ in range(3):
                await app.workers.wait_for_complete()
                await pilot.pause(0.3)
        picture = app.export_screenshot(title=f"duotune · {title}")
    into.mkdir(parents=True, exist_ok=True)
    (into / f"{name}.svg").write_text(_without_this_host(picture))
    print(into / f"{name}.svg")


def _without_this_host(picture: str) -> str:
    """The picture with another name for the host and for the folder that the home is in."""
    folder = os.environ["DUOTUNE_HOME"].removesuffix("/.demo/home")
    picture = re.sub(re.escape(folder), NEUTRAL, picture)
    for length in range(len(folder) - 1, 3, -1):  # a column that is too narrow cuts it
        picture = re.sub(re.escape(folder[:length]) + r"(?=(?:&#160;)*</text>)", NEUTRAL[:length], picture)
    return picture


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path(".demo/home"))
    parser.add_argument("--into", type=Path, default=Path("docs/screens"))
    parser.add_argument("--size", default="120x34")
    parser.add_argument("--theme", default="textual-dark")
    parser.add_argument("--every", action="store_true", help="both sizes, dark and light")
    parser.add_argument("--only", nargs="*", help="names of screens")
    return parser.parse_args()


if __name__ == "__main__":
    main()
