"""The pictures in the docs: one of each screen that the tool takes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "screens"


def test_every_screen_has_its_picture_and_the_page_shows_it() -> None:
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "tools" / "screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = (PICTURES / "README.md").read_text()
    assert {file.stem for file in PICTURES.glob("*.svg")} == set(tool.SCREENS)
    assert all(f"({name}.svg)" in page for name in tool.SCREENS)


def test_readme_shows_pictures_that_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = [line.rpartition("(")[2].rstrip(")") for line in readme.splitlines() if line.startswith("![")]
    assert shown
    assert all((ROOT / path).is_file() for path in shown)
