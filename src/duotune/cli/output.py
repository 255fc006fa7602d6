"""How the command line speaks: results on standard output, narration and errors on standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from duotune.errors import DuotuneError

_UNLIMITED = 1_000_000
"""Columns; more than any line has."""


def print_error(message: str, hint: str = "") -> None:
    """One sentence that names the thing, and one that says what to do."""
    if sys.stderr.isatty():
        from rich.text import Text

        narrator().print(Text.assemble(("Error:", "bold red"), f" {message}"))
    else:
        click.echo(f"Error: {message}", err=True)
    if hint:
        say(hint)


def say(message: str) -> None:
    """Narration for a person; lines break between words on a terminal, and nowhere else."""
    if sys.stderr.isatty():
        narrator().print(message)
    else:
        click.echo(message, err=True)


def print_json(document: Any) -> None:
    """One compact document on one line of standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def print_json_error(error: DuotuneError) -> None:
    """The answer to `--json` when there is none: `error` as in the state of a run that failed, and what is wrong where.

    `problems` has one entry for each key of a configuration, and is empty when something else is wrong.
    """
    from duotune.errors import ConfigError

    problems = error.problems if isinstance(error, ConfigError) else ()
    document = {
        "error": error_document(error),
        "problems": [
            {
                "key": problem.key,
                "value": None if problem.value is None else str(problem.value),
                "reason": problem.reason,
                "suggestion": problem.suggestion,
            }
            for problem in problems
        ],
    }
    print_json(document)


def error_document(error: DuotuneError) -> dict[str, Any]:
    """An error as JSON."""
    return {"message": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}


def narrator() -> Console:
    """A rich console on standard error; it never interprets markup in foreign text."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False)


def printer() -> Console:
    """A rich console on standard output; without a terminal its lines are as long as what stands in them."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _UNLIMITED
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width)


def show(renderable: RenderableType) -> None:
    """Print a table or text as a result; in a pipe or a file no name is cut and no line is broken."""
    console = printer()
    if sys.stdout.isatty():
        console.print(renderable)
        return
    with console.capture() as capture:
        console.print(renderable)
    # What fills a table's last column up is of use to nobody there.
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def plain_table(*columns: str, figures_from: int | None = None) -> Table:
    """A table without lines.

    Args:
        *columns: Their headings.
        figures_from: The first of the columns that hold figures, which are aligned to the right.
    """
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for column in table.columns[len(columns) if figures_from is None else figures_from :]:
        column.justify = "right"
    return table


def ask(question: str, yes: bool) -> None:
    """Ask a person before something that is not easily undone.

    Args:
        question: One sentence.
        yes: They have agreed already.

    Raises:
        UsageError: There is no terminal to ask at.
        click.Abort: They do not want it.
    """
    from duotune.errors import UsageError

    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("Nobody can be asked here.", "Add --yes to go on without asking.")
    click.confirm(question, abort=True, err=True)
