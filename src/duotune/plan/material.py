"""Whether there is enough to train and to test on, as far as can be told before near-duplicates are looked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from duotune.catalog.catalog import open_catalog
from duotune.config.run import DataConfig
from duotune.errors import UsageError
from duotune.plan.checks import attempt
from duotune.plan.records import Check, ProjectPlan
from duotune.runs.wording import counted, in_bytes, too_few

# One each to train, to validate and to test on.
LEAST_FILES = 3
# Fewer files than this say little, however many items they give: the verdict's interval is by file.
LEAST_TEST_FILES = 8


def check_material(projects: Sequence[ProjectPlan], data: DataConfig, checks: list[Check]) -> None:
    """Whether enough is left to train and to test on after the filters."""
    files = sum(project.files for project in projects)

    def enough() -> tuple[None, str]:
        if files == 0:
            raise UsageError(_nothing_left(projects), "Name other sources, or widen include, exclude and languages.")
        if files < LEAST_FILES:
            raise UsageError(
                f"Only {files} of the files can be trained on: training, validation and test need one each.",
                "Name more sources, or widen include, exclude and languages.",
            )
        return None, f"{counted(files, 'file')}, {in_bytes(sum(project.bytes for project in projects))}"

    attempt(checks, "material", enough)
    if files < LEAST_FILES:
        return
    if data.held_out_after:
        _check_by_time(files, sum(project.late for project in projects), data, checks)
        return
    held_out = round(files * data.test_fraction)
    if held_out < LEAST_TEST_FILES:
        wanted = min(0.5, math.ceil(100 * LEAST_TEST_FILES / files) / 100)
        hint = f"Set data.test_fraction = {wanted} for a better founded one."
        checks.append(_few(f"about {max(1, held_out)} of {files} files", hint))


def _check_by_time(files: int, late: int, data: DataConfig, checks: list[Check]) -> None:
    """Whether there are files on both sides of the day; only a warning where earlier datasets hold files out too."""
    day = data.held_out_after

    def both_sides() -> tuple[None, str]:
        if late < 2:
            raise UsageError(
                f"{too_few(late, 'file')} was first committed after {day}: too few to validate and to test on.",
                'Set data.held_out_after to an earlier day, or to "" to hold files out by chance.',
            )
        if late == files:
            raise UsageError(
                f"Every file was first committed after {day}, so that none is left to train on.",
                'Set data.held_out_after to a later day, or to "" to hold files out by chance.',
            )
        return None, f"{late:,} of {counted(files, 'file')} first committed after {day}"

    attempt(checks, "split by time", both_sides)
    refused = checks[-1].status == "refused"
    with open_catalog() as catalog:
        earlier = next(iter(catalog.splits.recorded()), None) is not None
    if earlier:
        if refused:  # not certain: files that were held out earlier may do
            checks[-1] = checks[-1].model_copy(update={"status": "warning", "exit_code": 0})
        detail = "earlier datasets have decided where their files go, and that holds whatever data.held_out_after says"
        hint = (
            "Only files that no earlier dataset held are split by the day; the run tells how many are not. A later day "
            "leaves fewer of them."
        )
        checks.append(Check(name="split by time", status="warning", detail=detail, hint=hint))
    if refused:
        return
    held_out = round(late * data.test_fraction / (data.test_fraction + data.validation_fraction))
    if held_out < LEAST_TEST_FILES:
        of = f"about {max(1, held_out)} of the {late} files first committed after {day}"
        checks.append(_few(of, "Set data.held_out_after to an earlier day for a better founded one."))


def _few(what: str, hint: str) -> Check:
    detail = f"{what} will be kept for the test, too few for a verdict"
    return Check(name="test files", status="warning", detail=detail, hint=hint)


def _nothing_left(projects: Sequence[ProjectPlan]) -> str:
    reasons: Counter[str] = Counter()
    for project in projects:
        reasons.update(project.rejected)
    if not reasons:
        return "There is nothing to train on: the projects have no files."
    listed = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common(3))
    left_out = f"all {counted(reasons.total(), 'file')} were" if reasons.total() > 1 else "the one file was"
    return f"There is nothing to train on: {left_out} left out, mostly for: {listed}."
