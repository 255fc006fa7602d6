"""The stages of a run: what is done, what is being done, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from duotune.runs.state import StageState, StageStatus
from duotune.runs.wording import in_words
from duotune.widgets.glyphs import glyphs


class StageRail(Static):
    """A line where the screen is narrow, a column where it is wide."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._stages: Sequence[tuple[StageState, str]] = ()

    def show(self, stages: Sequence[tuple[StageState, str]]) -> None:
        """Show the stages, each with what came of it in a few words."""
        self._stages = stages
        self._draw()

    def on_resize(self) -> None:
        """Take the shape that fits."""
        self._draw()

    def _draw(self) -> None:
        if self.screen.has_class("-wide"):
            self.update(Content("\n").join([line for stage, words in self._stages for line in _tall(stage, words)]))
            return
        arrow = f" {glyphs().arrow} "
        self.update(Content(arrow).join([_short(stage) for stage, _ in self._stages]), layout=False)


def _sign(state: StageStatus) -> tuple[str, str]:
    signs = glyphs()
    return {
        "pending": (signs.bullet, "$text-muted"),
        "running": (signs.running, "bold $accent"),
        "finished": (signs.good, "$text-success"),
        "interrupted": (signs.warning, "$text-warning"),
    }[state]


def _short(stage: StageState) -> Content:
    sign, style = _sign(stage.state)
    took = f" {in_words(stage.seconds)}" if stage.started_at else ""
    return Content.assemble((f"{sign} {stage.name}", style), took)


def _tall(stage: StageState, words: str) -> list[Content]:
    sign, style = _sign(stage.state)
    took = f"  {in_words(stage.seconds)}" if stage.started_at else ""
    state = "" if stage.state == "finished" else f"  {stage.state}"
    lines = [Content.assemble((f"{sign} {stage.name}", style), took, (state, "$text-muted"))]
    return [*lines, *([Content.assemble((f"  {words}", "$text-muted"))] if words else [])]
