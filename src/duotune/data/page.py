"""The page about a dataset that a run's directory holds, for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from duotune.data.manifest import Manifest, RejectedEntry
from duotune.data.reasons import Reason
from duotune.data.recipes import NAMES, RECIPES, Recipe
from duotune.data.redaction.report import FindingCounts
from duotune.data.report import SPLITS, funnel_of, grouped
from duotune.errors import printable
from duotune.runs.funnel import TOKENS, Amount, Funnel, Share
from duotune.runs.wording import counted, in_bytes

_STEPS = {
    "listed": "in the projects",
    "readable": "worth reading, by name and size",
    "accepted": "code to learn from, by content",
    "distinct": "not a duplicate",
    "train": "of these: to train on",
    "validation": "to watch the loss with",
    "test": "to test on",
}


def as_markdown(manifest: Manifest, findings_file: Path) -> str:
    """The page about a dataset: the funnel with an example of each reason, the splits, the recipes, what was redacted.

    Args:
        manifest: The dataset's.
        findings_file: Where its findings are listed.
    """
    funnel = funnel_of(manifest)
    examples: dict[str, RejectedEntry] = {}
    for entry in manifest.rejected:
        examples.setdefault(entry.reason.value, entry)
    parts = [
        "# What the data was made of",
        f"Dataset `{manifest.fingerprint[:12]}`. Every file has one verdict: "
        "`duotune projects show NAME --explain PATH` tells that of any one.",
        _stages(funnel),
        TOKENS,
        _leakage(funnel),
        "## Left out, by reason",
        "\n".join(
            ["| reason | files | size | example | meaning |", "| --- | ---: | ---: | --- | --- |"]
            + [
                f"| {name} | {_files(amount)} | {in_bytes(amount.bytes)} | {_example(examples[name])} "
                f"| {Reason(name).sentence} |"
                for name, amount in funnel.reasons.items()
            ]
        ),
        "## By project",
        _share_table("project", funnel.projects),
        _splits(manifest),
        "## By language",
        _share_table("language", funnel.languages),
        "## By recipe",
        _recipes(manifest),
        "## Secrets and personal data",
        _findings(manifest.findings, findings_file),
    ]
    return "\n\n".join(parts) + "\n"


def _leakage(funnel: Funnel) -> str:
    return (
        f"Near-duplicates across the split, measured afterwards on the texts: **{funnel.leaked}** "
        f"({funnel.leaks_dropped} were found and dropped). Held-out places passed over because their lines occur in a "
        f"training file: {funnel.contaminated_items}."
    )


def _stages(funnel: Funnel) -> str:
    lines = ["| | files | size | tokens |", "| --- | ---: | ---: | ---: |"]
    for name, amount in funnel.stages.items():
        size = in_bytes(amount.bytes)
        lines.append(f"| {name}: {_STEPS[name]} | {_files(amount)} | {size} | {_tokens(amount)} |")
    return "\n".join(lines)


def _share_table(first: str, shares: Mapping[str, Share]) -> str:
    lines = [
        f"| {first} | files kept | size | tokens | files left out | size |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, share in shares.items():
        kept, left_out = share.kept, share.left_out
        lines.append(
            f"| {_cell(name)} | {kept.files:,} | {in_bytes(kept.bytes)} | {_tokens(kept)} | {_files(left_out)} "
            f"| {in_bytes(left_out.bytes)} |"
        )
    return "\n".join(lines)


def _tokens(amount: Amount) -> str:
    return "" if amount.tokens is None else f"{amount.tokens:,}"


def _files(amount: Amount) -> str:
    if not amount.directories:
        return f"{amount.files:,}"
    return f"{amount.files:,} + {amount.directories:,} directories"


def _example(entry: RejectedEntry) -> str:
    place = f"`{_cell(entry.path)}`" + (f" ({_cell(entry.detail)})" if entry.detail else "")
    return f"{place}, as `{_cell(entry.repeats)}`" if entry.repeats else place


def _cell(text: str) -> str:
    """Foreign text, which is printable already, where it can neither end a cell nor a code span."""
    return text.replace("|", "\\|").replace("`", "'")


def _splits(manifest: Manifest) -> str:
    """Files and tokens of each project by split."""
    lines = [
        "| project | to train on | tokens | to watch the loss with | tokens | to test on | tokens |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for project in manifest.projects:
        by_split = grouped((file for file in manifest.files if file.project == project.name), lambda file: file.split)
        amounts = [by_split.get(split, Amount()) for split in SPLITS]
        cells = " | ".join(f"{amount.files:,} | {_tokens(amount)}" for amount in amounts)
        lines.append(f"| {_cell(project.name)} | {cells} |")
    return "\n".join(lines)


def _recipes(manifest: Manifest) -> str:
    """The shares that the settings ask for, and those that came out; each within code or within documents."""
    asked: Mapping[str, float] = manifest.settings.recipes.model_dump()
    tokens = manifest.splits["train"].recipes
    lines = ["| recipe | of | share asked | share got | tokens to train on |", "| --- | --- | ---: | ---: | ---: |"]
    for documents, kind in ((False, "code"), (True, "documents")):
        names: list[Recipe] = [name for name in NAMES if RECIPES[name].documents == documents]
        total, wanted = sum(tokens.get(name, 0) for name in names), sum(asked[name] for name in names)
        for name in names if total else ():
            count, share = tokens.get(name, 0), asked[name] / wanted if wanted else 0.0
            if count or share:
                lines.append(f"| {name} | {kind} | {share:.1%} | {count / total:.1%} | {count:,} |")
    said = (
        "Where a file has no function, comment or heading to ask for, its part goes to the other recipes that have a "
        "share; a file in which those find nothing either gives no example, and counts no tokens above."
    )
    return "\n".join(lines) + f"\n\n{said}"


def _findings(found: FindingCounts, file: Path) -> str:
    """How much was found by each rule, what was done about it, and where it is listed."""
    if not (found.secrets or found.personal):
        return "None were found."
    lines = ["| rule | found |", "| --- | ---: |"]
    lines += [f"| {_cell(rule)} | {count:,} |" for rule, count in found.by_rule.items()]
    told = (
        f"{counted(found.secrets, 'secret')} and {counted(found.personal, 'piece')} of personal data: "
        f"{counted(found.redacted_files, 'file')} redacted, {counted(found.dropped_files, 'file')} left out. "
        f"`{_cell(printable(file))}` lists them by file, line and rule, without their values."
    )
    return told + "\n\n" + "\n".join(lines)
