"""`duotune adapters`: what was trained, with versions, manifests and checks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import click

from duotune.cli.handing_over import export, merge
from duotune.cli.output import print_json, say, show
from duotune.errors import ExitCode
from duotune.runs.wording import in_bytes

if TYPE_CHECKING:
    from duotune.adapters.verify import Check


@click.group()
def adapters() -> None:
    """List, show, verify, publish, merge, export and remove adapters."""


adapters.add_command(export)
adapters.add_command(merge)


@adapters.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_adapters(as_json: bool) -> None:
    """List every version of every adapter."""
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.output import plain_table

    with open_catalog() as catalog:
        versions = catalog.adapters.versions()
        bases = {adapter.name: adapter.base_name for adapter in catalog.adapters.all()}
        newest = [catalog.adapters.current(name) for name in bases]
        current = {version.name for version in newest if version}
    if as_json:
        print_json(
            [
                {
                    "name": version.name,
                    "adapter": version.adapter,
                    "version": version.version,
                    "state": version.state,
                    "current": version.name in current,
                    "base": bases[version.adapter],
                    "verdict": version.verdict,
                    "projects": [project.name for project in version.projects],
                    "location": version.location,
                    "run": version.run,
                }
                for version in versions
            ]
        )
        return
    if not versions:
        say("No adapter yet. `duotune run CONFIG.toml` trains one.")
        return
    table = plain_table("adapter", "state", "base", "verdict", "trained on", "published")
    for version in versions:
        state = "current" if version.name in current else version.state
        when = "" if version.published_at is None else f"{datetime.fromtimestamp(version.published_at):%Y-%m-%d %H:%M}"
        projects = ", ".join(project.name for project in version.projects)
        table.add_row(version.name, state, bases[version.adapter], version.verdict, projects, when)
    show(table)


@adapters.command("show", short_help="Show where an adapter comes from and what it is worth.")
@click.argument("name", metavar="ADAPTER")
@click.option("--json", "as_json", is_flag=True, help="The manifest as one JSON document.")
def show_adapter(name: str, as_json: bool) -> None:
    """Show ADAPTER (a name, or name.vN): where it comes from and what it is worth."""
    from duotune.adapters.copies import local_copy
    from duotune.adapters.manifest import read_manifest
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.output import plain_table
    from duotune.cli.tables import show_evaluation
    from duotune.evaluation.results import Evaluation

    with open_catalog() as catalog:
        version = catalog.adapters.get(name)
        directory = local_copy(catalog, version)
    manifest = read_manifest(directory)
    if as_json:
        print_json(manifest.model_dump(mode="json"))
        return
    facts = plain_table("", "")
    facts.show_header = False
    facts.add_row("adapter", f"{version.name}, {version.state}")
    if version.force_reason:
        facts.add_row("published because", version.force_reason)
    facts.add_row("published by", version.published_by or "nobody yet")
    base = manifest.base
    facts.add_row("base model", f"{base.name} ({base.architecture}, {base.fingerprint[:12]})")
    for project in manifest.projects:
        facts.add_row("trained on", project.in_words)
    facts.add_row("run", manifest.run)
    facts.add_row("dataset", manifest.dataset[:12])
    facts.add_row("location", version.location)
    if version.location != str(directory):
        facts.add_row("local copy", str(directory))
    for file, described in manifest.files.items():
        facts.add_row("file", f"{file}, {in_bytes(described.bytes)}, sha256 {described.sha256[:12]}")
    show(facts)
    if manifest.evaluation:
        show("")
        show_evaluation(Evaluation.model_validate(manifest.evaluation))


@adapters.command(short_help="Check an adapter against its manifest and base model.")
@click.argument("name", metavar="ADAPTER")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of checks.")
def verify(name: str, as_json: bool) -> int:
    """Check ADAPTER against its manifest and its base model, tensor by tensor, as vLLM does not."""
    from duotune.adapters.copies import local_copy
    from duotune.adapters.manifest import read_manifest
    from duotune.adapters.verify import verify as check
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.tables import show_checks
    from duotune.models.locate import fingerprint, locate
    from duotune.models.shape import read_shape

    with open_catalog() as catalog:
        version = catalog.adapters.get(name)
        directory = local_copy(catalog, version)
    base = locate(read_manifest(directory).base.path)
    checks = check(directory, read_shape(base), base_fingerprint=fingerprint(base))
    if as_json:
        print_json([{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks])
    else:
        show_checks([(c.name, _status(c), c.detail) for c in checks])
    return ExitCode.OK if all(c.ok for c in checks) else ExitCode.FAILED


@adapters.command(short_help="Publish a withheld adapter.")
@click.argument("name", metavar="RUN|ADAPTER")
@click.option("--force", "reason", metavar="REASON", default="", help="Publish a harmful one; the reason is recorded.")
def publish(name: str, reason: str) -> None:
    """Publish a withheld adapter: one that its run was told to ask about, or that was found harmful."""
    from duotune.adapters.publish import publish_withheld
    from duotune.catalog.adapters import split_name
    from duotune.catalog.catalog import open_catalog
    from duotune.errors import UsageError

    with open_catalog() as catalog:
        is_adapter = catalog.adapters.find(split_name(name)[0]) is not None
        run = "" if is_adapter else _run_id(name)
        if run and not catalog.adapters.versions(run=run):
            raise UsageError(
                f"The run {run} has no adapter to publish: it has not reached the end of its stage `publish`.",
                f"See `duotune status {run}`; `duotune resume {run}` goes on where it stopped.",
            )
        version = publish_withheld(catalog, run or name, reason)
    say(f"Published {version.name}. Next: `duotune assign PROJECT {version.adapter}`, then `duotune serve plan`.")


@adapters.command(short_help="Delete a version that never served.")
@click.argument("name", metavar="ADAPTER.vN")
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
def remove(name: str, yes: bool) -> None:
    """Delete one version, such as payments.v2, with its files. What a deployment names is never deleted."""
    from duotune.adapters.remove import consequences
    from duotune.adapters.remove import remove as delete
    from duotune.catalog.adapters import split_name
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.output import ask
    from duotune.errors import UsageError

    with open_catalog() as catalog:
        version = catalog.adapters.get(name)
        if split_name(name)[1] is None:
            raise UsageError(f"{name} is an adapter, and one version is removed at a time.", f"Write {version.name}.")
        for sentence in consequences(catalog, version):
            say(sentence)
        ask(f"Remove {version.name}?", yes)
        delete(catalog, version)
    say(f"Removed {version.name}.")


def _status(check: Check) -> Literal["ok", "warning", "refused"]:
    if not check.ok:
        return "refused"
    return "warning" if check.warning else "ok"


def _run_id(name: str) -> str:
    """The id of the run that a name, an id or a beginning of one means; empty when it means none."""
    from duotune.errors import UsageError
    from duotune.runs.directory import find_run

    try:
        return find_run(name).id
    except UsageError:
        return ""
