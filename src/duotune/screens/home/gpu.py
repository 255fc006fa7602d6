"""One GPU in words: who holds its memory, and how it is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from duotune.errors import printable
from duotune.sizes import in_gib
from duotune.widgets.glyphs import glyphs
from duotune.widgets.meter import stacked

if TYPE_CHECKING:
    from duotune.screens.home.reading import GpuUse

METER, WIDE_METER, WIDE = 12, 30, 120
GIB = 2**30
SHOWN = GIB // 20
"""Bytes; less than these are nobody's that matters: a few MiB of a display, or of the driver."""


def told(use: GpuUse, width: int, crowded: bool = False) -> list[Content]:
    """A bar and words of who holds memory, then the sensors and the name: in one line where they fit, else in two.

    Args:
        use: The GPU.
        width: Room, in cells.
        crowded: One line it must be; what does not fit is left out, whole words at a time.
    """
    cells = WIDE_METER if width >= WIDE else METER
    meter, room = _meter(use, cells), width - cells - 1
    memory, doing = _memory(use), _doing(use)
    fitting = [count for count in range(len(doing) + 1) if len(_line([memory, *doing[:count]])) <= room]
    if crowded or len(doing) in fitting:
        return [Content.assemble(meter, f" {_line([memory, *doing[: max(fitting, default=0)]])}")]
    return [Content.assemble(meter, f" {memory}"), Content(f"{' ' * (cells + 1)}{_line(doing)}")]


def _memory(use: GpuUse) -> str:
    held = (("training", use.training), ("vLLM", use.serving), ("others", use.others))
    words = ", ".join(f"{name} {_gib(amount)}" for name, amount in held if amount >= SHOWN)
    return f"{_gib(use.gpu.memory_used_bytes)} of {in_gib(use.gpu.memory_total_bytes)}{': ' if words else ''}{words}"


def _gib(amount: int) -> str:
    return f"{amount / GIB:.3g}" if amount >= SHOWN else "0"


def _doing(use: GpuUse) -> list[str]:
    gpu = use.gpu
    words = [f"{gpu.utilization_percent} % busy"] if gpu.utilization_percent is not None else []
    words += [f"{gpu.temperature_celsius} °C"] if gpu.temperature_celsius is not None else []
    words += [f"{gpu.power_watts:.0f} W"] if gpu.power_watts is not None else []
    return [*words, printable(gpu.name)]


def _meter(use: GpuUse, width: int) -> Content:
    signs = glyphs()
    parts = (
        (use.training, signs.full, "$accent"),
        (use.serving, "▓" if signs.braille else "v", "$success"),
        (use.others, "▒" if signs.braille else "o", "$warning"),
    )
    return stacked(parts, use.gpu.memory_total_bytes, width)


def _line(words: list[str]) -> str:
    return " · ".join(words)
