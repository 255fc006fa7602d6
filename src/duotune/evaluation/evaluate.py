"""Evaluates an adapter against its base model: the stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from duotune.base_model import full_memory_told
from duotune.config.run import RunConfig
from duotune.disk import write_whole
from duotune.evaluation.answering import Answering, Questions, adapter_digest
from duotune.evaluation.contract import make_contract
from duotune.evaluation.embed import Embedder, open_embedder, random_pairs
from duotune.evaluation.examples import GROUPS, ITEMS
from duotune.evaluation.model import load_two
from duotune.evaluation.prompts import render
from duotune.evaluation.report import as_markdown
from duotune.evaluation.results import Evaluation, ItemResult, Verdict
from duotune.evaluation.score import Answers, score_items, summarise, summarise_groups
from duotune.evaluation.verdict import decide
from duotune.models.items import HeldOutItem
from duotune.models.locate import fingerprint
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import load_tokenizer
from duotune.runs.reporter import Reporter

NOTHING_TO_COMPARE: tuple[Verdict, str] = ("no evidence", "Only the base model was evaluated: there is no comparison.")


@full_memory_told("evaluation", "Lower evaluation.batch_size or data.sequence_length")
def evaluate(
    items: Mapping[str, Sequence[HeldOutItem]],
    model: Path,
    adapter: Path | None,
    config: RunConfig,
    directory: Path,
    report: Reporter,
    device: str = "auto",
) -> Evaluation:
    """Let base and adapter answer the same held-out prompts, and compare.

    Leaves in `directory`: `report.json`, `groups.json`, `report.md`, `items.jsonl`, `contract.json`, and the answers
    themselves, which a later call re-uses.

    Args:
        items: Held-out items by set; ids are unique over all sets.
        model: Directory of the base model.
        adapter: Directory of the adapter; None evaluates the base model alone.
        config: The run.
        directory: Where results go.
        report: Hears of progress, and may ask to stop.
        device: "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        Stopped: After a complete batch, when the reporter asked to stop.
        RunFailed: If the GPU's memory does not hold the models, or not one prompt.
        ModelError: If the model cannot be loaded or cannot fill in the middle.
        CheckFailed: If the adapter does not load over its base model.
        UsageError: If the embedder cannot be loaded.
    """
    directory.mkdir(parents=True, exist_ok=True)
    models = load_two(model, adapter, config.model, device)
    renderer = PromptRenderer(load_tokenizer(model))
    # Before anything is answered, so that a wrong path costs seconds and not hours.
    embedder = open_embedder(config.evaluation.embedder, models, renderer.tokenizer)
    # A prompt longer than a training row shows the adapter more than it was trained on, and costs time on both sides.
    context = min(models.context, config.data.sequence_length)
    longest = config.evaluation.max_new_tokens
    questions = {name: render(found, renderer, context, longest) for name, found in items.items()}
    of_base = fingerprint(model)
    answering = Answering(models, questions, renderer, config.evaluation.batch_size, report)
    base = answering.answers("base", directory, of_base)
    tuned = None if adapter is None else answering.answers("adapter", directory, of_base + adapter_digest(adapter))
    results = _score(questions, base, tuned, embedder, renderer, report)
    sets = {name: summarise(found, config.evaluation.seed) for name, found in results.items() if found}
    verdict, reason = decide(sets) if tuned is not None else NOTHING_TO_COMPARE
    gold = embedder.embed([question.item.gold for asked in questions.values() for question in asked])
    evaluation = Evaluation(
        verdict=verdict,
        reason=reason,
        compared=tuned is not None,
        sets=sets,
        embedder=embedder.name,
        random_pair_similarity=random_pairs(gold, config.evaluation.seed),
        model=of_base,
        precision=models.precision,
    )
    said = base if tuned is None else tuned
    pairs = [(question, said[question.item.id]) for asked in questions.values() for question in asked]
    contract = make_contract(models, pairs, renderer, evaluation.model, report)
    every = [item for found in results.values() for item in found]
    groups = summarise_groups(every, config.evaluation.seed)
    write_whole(directory / ITEMS, "".join(item.model_dump_json() + "\n" for item in every))
    write_whole(directory / GROUPS, groups.model_dump_json())
    write_whole(directory / "contract.json", contract.model_dump_json())
    write_whole(directory / "report.md", as_markdown(config.adapter.name, evaluation, groups, results))
    write_whole(directory / "report.json", evaluation.model_dump_json(indent=2))
    return evaluation


def _score(
    questions: Questions,
    base: Answers,
    tuned: Answers | None,
    embedder: Embedder,
    renderer: PromptRenderer,
    report: Reporter,
) -> dict[str, list[ItemResult]]:
    total = sum(map(len, questions.values()))
    results: dict[str, list[ItemResult]] = {}
    report.progress("score", 0, total, "items")
    for name, asked in questions.items():
        results[name] = score_items(name, asked, base, tuned, embedder, renderer.tokenizer)
        report.progress("score", sum(map(len, results.values())), total, "items")
    return results
