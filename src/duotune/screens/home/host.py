"""The panel of this host: GPUs, what is served, disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from duotune.errors import printable
from duotune.sizes import in_gib
from duotune.widgets.cutting import ending
from duotune.widgets.glyphs import glyphs

if TYPE_CHECKING:
    from duotune.screens.home.reading import Machine
    from duotune.serving.status import ServingStatus

LABEL = 9
MOST_IN_TWO_LINES = 2
"""GPUs; of more than these, each has the one line that leaves room for the runs."""
MOST_LISTED = 8
"""GPUs that have a line; what is more is told together."""
SMALLEST_FREE = 10 * 10**9
"""Bytes; with less free disk than this, a run may not fit."""


class HostPanel(Static):
    """A line for each GPU, for vLLM and for the disk."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._machine: Machine | None = None
        self._serving: ServingStatus | None = None
        self._shown: Content | None = None

    def on_mount(self) -> None:
        """Say that nothing is known yet."""
        self._draw()

    def on_resize(self) -> None:
        """Draw bars as wide as fits now."""
        self._draw()

    def show_machine(self, machine: Machine) -> None:
        """Take a new reading of the machine."""
        self._machine = machine
        self._draw()

    def show_serving(self, status: ServingStatus) -> None:
        """Take a new reading of what is served."""
        self._serving = status
        self._draw()

    def _draw(self) -> None:
        lines = [*self._gpu_lines(), _labelled("Serving", self._serving_line()), _labelled("Disk", self._disk_line())]
        text = Content("\n").join(lines)
        if self._shown is None or not text.is_same(self._shown):
            self._shown = text
            self.update(text)

    def _gpu_lines(self) -> list[Content]:
        machine = self._machine
        if machine is None:
            return [_labelled("GPU", Content("looking …"))]
        if not machine.gpus:
            words = f"none found: runs train on {machine.host.cores} CPU cores, for small models only"
            return [_labelled("GPU", Content(words))]
        from duotune.screens.home.gpu import told

        width = self.size.width - LABEL
        lines = []
        for use in machine.gpus[:MOST_LISTED]:
            first, *more = told(use, width, crowded=len(machine.gpus) > MOST_IN_TWO_LINES)
            lines += [_labelled(f"GPU {use.gpu.index}", first), *(_labelled("", line) for line in more)]
        if rest := machine.gpus[MOST_LISTED:]:
            free = sum(use.gpu.memory_free_bytes for use in rest)
            lines.append(_labelled("", Content(f"and {len(rest)} more, {in_gib(free)} of their memory free")))
        return lines

    def _serving_line(self) -> Content:
        status, signs = self._serving, glyphs()
        if status is None:
            return Content("looking …")
        if status.generation is None:
            return Content("nothing yet; 4 Serving begins with a plan")
        if status.paused:
            return Content(f"{signs.waiting} stopped while a run trains; it starts again by itself")
        adapters = len(status.generation.versions)
        what = f"{adapters} adapter{'' if adapters == 1 else 's'} at {printable(status.address)}"
        if status.good:
            return Content.assemble((f"{signs.good} ", "$text-success"), what)
        if status.service.phase == "stopped":
            return Content(f"{signs.bullet} stopped")
        return Content.assemble(
            (f"{signs.bad} does not answer as it should", "$text-error"), f": {status.service.phase}"
        )

    def _disk_line(self) -> Content:
        from duotune.runs.wording import in_bytes

        if self._machine is None:
            return Content("looking …")
        free = self._machine.disk_free
        room = max(self.size.width - LABEL - 24, 20)
        words = f"{in_bytes(free)} free for {ending(printable(self._machine.disk_path), room)}"
        return (
            Content(words)
            if free >= SMALLEST_FREE
            else Content.assemble((f"{glyphs().warning} {words}", "$text-warning"))
        )


def _labelled(label: str, text: Content) -> Content:
    return Content.assemble((label.ljust(LABEL), "$text-muted"), text)
