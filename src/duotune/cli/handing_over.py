"""`duotune adapters export` and `merge`: an adapter for use elsewhere, by itself or folded into its base model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from duotune.cli.output import narrator, print_json, say, show
from duotune.runs.wording import counted, in_bytes


@click.command(short_help="Copy a published adapter to a directory.")
@click.argument("name", metavar="ADAPTER")
@click.argument("directory", metavar="DIRECTORY")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def export(name: str, directory: str, as_json: bool) -> None:
    """Copy ADAPTER (a name, or name.vN) to DIRECTORY, in PEFT's format, for use elsewhere.

    Every file is compared with the hashes of its manifest. DIRECTORY must not exist, or be empty; it appears whole.
    """
    from duotune.adapters.export import export as copy
    from duotune.adapters.export import released
    from duotune.catalog.catalog import open_catalog
    from duotune.errors import printable

    with open_catalog() as catalog:
        version = released(catalog, name)
    with _progress(f"copying {version.name}") as on_bytes:
        done = copy(version, directory, on_bytes)
    for left in done.left_out:
        say(f"Note: {printable(left)} is left out: the manifest does not name it.")
    if as_json:
        document = {"adapter": done.version, "directory": str(done.directory), "bytes": done.bytes, "files": done.files}
        print_json(document)
        return
    size = f"{counted(len(done.files), 'file')}, {in_bytes(done.bytes)}"
    show(f"Exported {done.version} to {printable(done.directory)}: {size}, each as it was published.")
    say("Its manifest.json names the projects that it was trained on, and where they were.")


@click.command(short_help="Fold a published adapter into its base model.")
@click.argument("name", metavar="ADAPTER")
@click.argument("directory", metavar="DIRECTORY")
@click.option("--detach", is_flag=True, help="Return as soon as the worker runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as the last line of standard output.")
def merge(name: str, directory: str, detach: bool, as_json: bool) -> int:
    """Fold ADAPTER (a name, or name.vN) into its base model, as a whole model in DIRECTORY.

    What comes of it is served by any engine without LoRA, and takes as much disk as the base model. It is a run:
    closing the terminal does not end it, and `duotune status`, `logs`, `stop` and `resume` know it. The merged model
    must answer as the adapter did when it was evaluated, or it is deleted.
    """
    from duotune.cli.run import accompany
    from duotune.errors import printable
    from duotune.plan.merge import plan_merge, start_merge
    from duotune.runs.wording import in_words

    with _progress(f"fetching {printable(name)}") as on_bytes:
        planned = plan_merge(name, on_bytes)
    takes = "" if planned.seconds is None else f", and about {in_words(planned.seconds)}"
    say(f"Merging {planned.version.name} into a whole copy of {planned.base}: {in_bytes(planned.bytes)}{takes}.")
    return accompany(start_merge(planned, directory), detach, as_json)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of bytes on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), DownloadColumn())
    with Progress(*columns, console=narrator(), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
