"""A run in words: its title, how far it is, what it waits for or ended with, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from duotune.errors import printable
from duotune.runs.outcomes import aim, findings, next_step, outcome, proof_in_words, verdict
from duotune.runs.results import Evaluated, Merged, Published
from duotune.runs.standing import amount_done, left_in_words, measured, phase, share_of_phase
from duotune.runs.state import RunState
from duotune.runs.wording import in_words
from duotune.screens.cells import state_sign, when
from duotune.widgets.glyphs import glyphs
from duotune.widgets.meter import bar

BAR = 24
NARROW_BAR = 8
VERDICT_STYLES = {"better": "$text-success", "harmful": "$text-error"}


def title(state: RunState) -> Content:
    """Id, state, kind and start."""
    sign = Content.from_rich_text(state_sign(state.state))
    facts = [f"started {when(state.created_at)}"] if state.created_at else []
    facts += [_resumed(state)] if state.attempts > 1 else []
    return Content.assemble(
        (printable(state.run), "bold"), "  ", sign, "  ", (f" {glyphs().bullet} ".join(facts), "$text-muted")
    )


def progress(state: RunState, stopping: bool, wide: bool) -> Content:
    """A bar of the phase, with the time left of the run; how it ended, when it has."""
    if state.ended:
        return Content(_ending(state))
    if state.waiting_for:
        return Content("waiting")
    share = share_of_phase(state)
    doing = f"{int(share * 100)} % of phase {phase(state)}" if state.progress else _starting(state)
    left = "stops at its next step" if stopping else left_in_words(state)
    line = f" {glyphs().bullet} ".join(printable(words) for words in (doing, left, amount_done(state)) if words)
    return Content.assemble((bar(share, BAR if wide else NARROW_BAR), "$accent"), f" {line}")


def notice(state: RunState) -> Content:
    """What keeps a person from looking away: a wait, an error, the newest warning. Empty when all is well."""
    signs = glyphs()
    if state.waiting_for:
        holder = f", which run {printable(state.waiting_for.holder)} uses" if state.waiting_for.holder else ""
        sentence = f"It waits for {printable(state.waiting_for.device)}{holder}, and starts by itself."
        return Content.assemble((f"{signs.waiting} {sentence}", "$text-warning"))
    if state.error:
        lines = [printable(line) for text in (state.error.message, state.error.hint) for line in text.splitlines()]
        return Content.assemble((f"{signs.bad} {lines[0]}" if lines else signs.bad, "$text-error"), _below(lines[1:]))
    if state.state == "stopped" and state.kind == "merge":
        return Content(f"It stopped, and kept nothing. `duotune resume {printable(state.run)}` begins it anew (r).")
    if state.state == "stopped":
        return Content(f"It stopped at a safe point. `duotune resume {printable(state.run)}` goes on from there (r).")
    if state.warnings and not state.ended:
        more = f" ({len(state.warnings)} in all: see Overview)" if len(state.warnings) > 1 else ""
        return Content.assemble((f"{signs.warning} {printable(state.warnings[-1])}{more}", "$text-warning"))
    return Content("")


def overview(state: RunState) -> Content:
    """The whole run in words."""
    blocks = [list(block) for block in (_result(state), _stages(state), _figures(state), _warnings(state))]
    lines = [Content("\n").join(block) for block in blocks if block]
    return Content("\n\n").join([*lines, Content.assemble(("Directory  ", "$text-muted"), printable(state.directory))])


def _result(state: RunState) -> Iterator[Content]:
    evaluated = Evaluated.of(state.results, "evaluate")
    if evaluated is not None:
        reason = printable(evaluated.evaluation.get("reason", ""))
        found = verdict(state)
        sign = {"better": glyphs().good, "harmful": glyphs().bad}.get(found, glyphs().warning)
        style = f"bold {VERDICT_STYLES.get(found, '$text-warning')}"
        yield Content.assemble((f"{sign} {printable(found)}. ", style), reason)
        yield Content.assemble(("Report     ", "$text-muted"), printable(evaluated.report))
    if state.order is not None:
        yield Content(printable(aim(state)))
    merged = Merged.of(state.results, "merge")
    if merged is not None:
        yield Content(f"{glyphs().good} {proof_in_words(merged.proof)}" if merged.proof else proof_in_words(None))
        yield Content(printable(next_step(state)))
    published = Published.of(state.results, "publish")
    if published is not None:
        version = published.published
        yield Content.assemble(("Adapter    ", "$text-muted"), f"{version.name} in {printable(version.location)}")
        yield Content(printable(next_step(state)))
    elif state.state == "finished" and (state.adapter or state.dataset):
        yield Content.assemble(("Result     ", "$text-muted"), printable(state.adapter or state.dataset))


def _stages(state: RunState) -> Iterator[Content]:
    for stage in state.stages:
        took = in_words(stage.seconds) if stage.started_at else ""
        words = printable(outcome(state, stage.name))
        yield Content.assemble((f"{stage.name:9} ", "$text-muted"), f"{stage.state:11} {took:10} {words}".rstrip())


def _figures(state: RunState) -> Iterator[Content]:
    for at, figures in measured(state):
        yield Content.assemble((f"{at}: ", "$text-muted"), figures)
    if state.checkpoint and state.state != "finished":
        yield Content.assemble(("Checkpoint ", "$text-muted"), f"step {state.checkpoint.step:,}")
    if found := findings(state):
        yield Content(printable(found))


def _warnings(state: RunState) -> Iterator[Content]:
    for warning in state.warnings:
        yield Content.assemble((f"{glyphs().warning} {printable(warning)}", "$text-warning"))


def _ending(state: RunState) -> str:
    worked = in_words(sum(stage.seconds for stage in state.stages))
    steps = f" at step {state.checkpoint.step:,}" if state.checkpoint and state.stage == "train" else ""
    where = f" in stage {state.stage}{steps}" if state.stage and state.state != "finished" else ""
    after = f" after {worked} of work" if state.state != "finished" else f" in {worked}"
    return f"{state.state}{where}{after}"


def _resumed(state: RunState) -> str:
    times = state.attempts - 1
    return "resumed once" if times == 1 else f"resumed {times} times"


def _starting(state: RunState) -> str:
    return f"{state.stage} begins" if state.stage else "the worker is starting"


def _below(lines: list[str]) -> str:
    return "".join(f"\n  {line}" for line in lines)
