"""A report as a page to read and scroll: Markdown laid out by rich, in which nothing but its layout is Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import ClassVar

from markdown_it import MarkdownIt
from rich import box, markdown
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from rich.theme import Theme
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.worker import get_current_worker

from duotune.widgets.differences import shown_lines

_REPORTS = MarkdownIt("zero").enable(["heading", "table", "list", "fence", "emphasis", "backticks", "escape"])
"""What our reports are written in. Links, images and HTML are foreign text, and shown as they are."""
_STYLES = {"h1": "title", "h2": "heading", "h3": "heading", "strong": "strong", "table.header": "strong"} | {
    "code": "code", "code_block": "code", "table.border": "muted", "item.bullet": "muted",
}  # fmt: skip
GAP = 2
LEAST, LONGEST_WORD = 10, 24
"""Cells: the narrowest column of words that can be read, and a word that is not broken in one."""


class Prose(ScrollView, can_focus=True):
    """The page; only what is in sight is made.

    Args:
        page: What it says.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"prose--{kind}" for kind in _STYLES.values()}
    DEFAULT_CSS = """
    Prose {
        height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; padding: 0 1;
        & > .prose--title { color: $accent; text-style: bold underline; }
        & > .prose--heading { color: $accent; text-style: bold; }
        & > .prose--strong { text-style: bold; }
        & > .prose--code { color: $text-secondary; }
        & > .prose--muted { color: $text-muted; }
    }
    """
    help_text = "Arrows and page keys scroll; Home and End go to the beginning and to the end."

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._rows: list[Strip] = []

    @property
    def rows(self) -> list[str]:
        """The rows as they are shown."""
        return [row.text.rstrip() for row in self._rows]

    def on_resize(self) -> None:
        """Lay it out for the width there is, in a thread: a long report takes a second."""
        width = self.scrollable_content_region.width
        styles = {
            f"markdown.{part}": self.get_component_rich_style(f"prose--{kind}", partial=True)
            for part, kind in _STYLES.items()
        }
        self.run_worker(lambda: self._lay_out(width, Theme(styles)), thread=True, exclusive=True)

    def _lay_out(self, width: int, theme: Theme) -> None:
        rows = [Strip(row) for row in laid_out(self._page, width, theme)]
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._take, rows, width)

    def _take(self, rows: list[Strip], width: int) -> None:
        self._rows, self.virtual_size = rows, Size(width, len(rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row."""
        width, base, place = self.scrollable_content_region.width, self.rich_style, y + self.scroll_offset.y
        row = self._rows[place] if place < len(self._rows) else Strip([])
        return row.adjust_cell_length(width).apply_style(base)


def laid_out(page: Page, width: int, theme: Theme | None = None) -> list[list[Segment]]:
    """The rows of a page.

    Args:
        page: What it says.
        width: Cells of a row.
        theme: Its looks.
    """
    console = Console(
        file=StringIO(), width=max(width, LEAST), theme=theme, force_terminal=True, color_system="truecolor"
    )
    return console.render_lines(page, pad=False)


class _Heading(markdown.Heading):
    LEVEL_ALIGN: ClassVar = {}


class _Code(markdown.CodeBlock):
    """Lines as they are, wrapped behind a rule."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = Text(self.text.plain.removesuffix("\n"), "markdown.code_block")
        rule = Segment("│ ", console.get_style("markdown.table.border"))
        for line in console.render_lines(code, options.update(width=options.max_width - 2), pad=False):
            yield from (rule, *line, Segment.line())


class _Table(markdown.TableElement):
    """Columns as wide as what stands in them; where not even their words have room, each row is told by itself."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heads = self.header.row.cells if self.header is not None and self.header.row is not None else []
        rows = [[cell.content for cell in row.cells] for row in self.body.rows] if self.body is not None else []
        right = [head.justify == "right" for head in heads]
        widths = _widths([[head.content, *cells] for head, *cells in zip(heads, *rows, strict=True)], right, options)
        if widths is None:
            yield from _records([head.content for head in heads], rows)
            return
        table = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            collapse_padding=True,
            border_style="markdown.table.border",
        )
        for head, width in zip(heads, widths, strict=True):
            heading = Text(head.content.plain, "markdown.table.header")
            table.add_column(heading, width=width, justify=head.justify, overflow="fold", vertical="top")
        for row in rows:
            table.add_row(*row)
        yield table


class Page(markdown.Markdown):
    """A report.

    Args:
        text: As our own writers make it; control characters in it do nothing.
    """

    elements: ClassVar = {
        **markdown.Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "table_open": _Table,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = _REPORTS.parse("\n".join(shown_lines(text)))


def _widths(columns: Sequence[Sequence[Text]], right: Sequence[bool], options: ConsoleOptions) -> list[int] | None:
    """Cells of each column; None where the table cannot be narrow enough to be read.

    Args:
        columns: Heading and cells of each.
        right: Whether it holds figures: these are not broken, their headings are.
        options: Tell the room.
    """
    widths = [max(text.cell_len for text in column) for column in columns]
    least = []
    for (head, *cells), figures, width in zip(columns, right, widths, strict=True):
        words = max([_longest_word(text) for text in (head, *cells)], default=0)
        if figures:
            least.append(max([_longest_word(head), *(cell.cell_len for cell in cells)]))
        else:
            least.append(max(min(words, LONGEST_WORD), min(width, LEAST)))
    while sum(widths) + GAP * (len(widths) - 1) > options.max_width:
        spare = [number for number, own in enumerate(widths) if own > least[number]]
        if not spare:
            return None
        widths[max(spare, key=lambda number: widths[number])] -= 1
    return widths


def _longest_word(text: Text) -> int:
    return max((word.cell_len for word in text.split()), default=0)


def _records(heads: Sequence[Text], rows: Sequence[Sequence[Text]]) -> Iterator[Text | Table]:
    """Each row by itself: its first cell, and below it what the other columns say."""
    for number, (name, *cells) in enumerate(rows):
        if number:
            yield Text()
        yield Text(name.plain, "markdown.strong")
        facts = Table.grid(padding=(0, GAP, 0, 0))
        for head, cell in zip(heads[1:], cells, strict=True):
            facts.add_row(Text(f"  {head.plain}", "markdown.table.border"), Text(cell.plain))
        yield facts
