"""From answers to the figures of each item and each set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from duotune.evaluation.answers import StoredAnswer
from duotune.evaluation.embed import Embedder, cosines
from duotune.evaluation.prompts import Question
from duotune.evaluation.results import METRICS, Groups, ItemResult, Metric, Pair, SetResult
from duotune.evaluation.statistics import (
    Table,
    bootstrap_means,
    interval,
    mcnemar,
    sign_flip,
    t_interval,
    two_sided,
)
from duotune.evaluation.text import bad_reason, edit_similarity, exact_match, headline
from duotune.models.tokenizer import CodeTokenizer

Answers = Mapping[str, StoredAnswer]
SHARES = ("exact_match", "bad_responses", "stopped_by_itself", "raw_exact_match")

# Enough of the source around a hole for a person to see what was asked.
BEFORE_CHARACTERS = 320
AFTER_CHARACTERS = 120


def score_items(
    set_name: str,
    questions: Sequence[Question],
    base: Answers,
    adapter: Answers | None,
    embedder: Embedder,
    tokenizer: CodeTokenizer,
) -> list[ItemResult]:
    """The figures of every item of one set, in the order of the questions."""
    items = [question.item for question in questions]
    sides = [base] if adapter is None else [base, adapter]
    gold = embedder.embed([item.gold for item in items])
    nearness = [
        cosines(gold, embedder.embed([headline(item, side[item.id].text) for item in items])).tolist() for side in sides
    ]
    results = []
    for number, question in enumerate(questions):
        answers = [side[question.item.id] for side in sides]
        reasons = [_reason(question, answer) for answer in answers]
        figures = [
            _figures(question, answer, reason, nearness[side][number])
            for side, (answer, reason) in enumerate(zip(answers, reasons, strict=True))
        ]
        results.append(_item_result(set_name, question, answers, figures, reasons, tokenizer))
    return results


def _reason(question: Question, answer: StoredAnswer) -> str | None:
    return bad_reason(question.item, answer.text, answer.stopped, answer.has_control_token)


def _figures(question: Question, answer: StoredAnswer, reason: str | None, nearness: float) -> dict[str, float]:
    item = question.item
    scored = headline(item, answer.text)
    return {
        "exact_match": exact_match(scored, item.gold),
        "edit_similarity": edit_similarity(scored, item.gold),
        "cosine_similarity": nearness,
        "bad_responses": float(reason is not None),
        "stopped_by_itself": float(answer.stopped),
        "gold_loss": answer.gold_loss,
        "raw_exact_match": exact_match(answer.text, item.gold),
    }


def _item_result(
    set_name: str,
    question: Question,
    answers: Sequence[StoredAnswer],
    figures: Sequence[Mapping[str, float]],
    reasons: Sequence[str | None],
    tokenizer: CodeTokenizer,
) -> ItemResult:
    item, compared = question.item, len(answers) > 1
    return ItemResult(
        id=item.id,
        set=set_name,
        kind=item.kind,
        project=item.project,
        path=item.path,
        language=item.language,
        prompt=tokenizer.decode(question.prompt, skip_control=False),
        before=item.prefix[-BEFORE_CHARACTERS:],
        after=item.suffix[:AFTER_CHARACTERS],
        gold=item.gold,
        base=answers[0].text,
        adapter=answers[1].text if compared else None,
        metrics={name: Pair(base=figures[0][name], adapter=figures[1][name] if compared else None) for name in METRICS},
        bad_reasons=(reasons[0], reasons[1] if compared else None),
        gold_tokens=len(question.target),
    )


def summarise(items: Sequence[ItemResult], seed: int) -> SetResult:
    """Means, paired differences, intervals and p-values of one set (at least one item).

    Of several tests of one difference the largest p-value counts, and an interval reaches as far as the bootstrap's
    and the t interval's do: with few files the bootstrap alone finds differences in chance.
    """
    base = np.array([[item.metrics[name].base for name in METRICS] for item in items])
    adapter = np.array([[_adapter_or_base(item.metrics[name]) for name in METRICS] for item in items])
    files = [f"{item.project}\0{item.path}" for item in items]
    means = bootstrap_means(adapter - base, files, seed)
    flipped = sign_flip(adapter - base, files, seed)
    lows, highs = _intervals(adapter - base, means, files)
    metrics = {}
    for column, name in enumerate(METRICS):
        p_value = max(two_sided(means[:, column]), float(flipped[column]))
        if name in SHARES:
            p_value = max(p_value, mcnemar(base[:, column], adapter[:, column]))
        metrics[name] = Metric(
            base=float(base[:, column].mean()),
            adapter=float(adapter[:, column].mean()),
            difference=float((adapter - base)[:, column].mean()),
            interval=(lows[column], highs[column]),
            p_value=p_value,
        )
    reasons = sorted({reason for item in items for reason in item.bad_reasons if reason})
    counts = {reason: _count(items, reason) for reason in reasons}
    return SetResult(n=len(items), files=len(set(files)), metrics=metrics, bad_reasons=counts)


def summarise_groups(items: Sequence[ItemResult], seed: int) -> Groups:
    """The same by language and by project."""
    return Groups(
        languages=_grouped(items, lambda item: item.language, seed),
        projects=_grouped(items, lambda item: item.project, seed),
    )


def _grouped(items: Sequence[ItemResult], name_of: Callable[[ItemResult], str], seed: int) -> dict[str, SetResult]:
    members: dict[str, list[ItemResult]] = {}
    for item in items:
        members.setdefault(name_of(item), []).append(item)
    by_size = sorted(members.items(), key=lambda group: (-len(group[1]), group[0]))
    return {name: summarise(found, seed) for name, found in by_size}


def _intervals(differences: Table, means: Table, files: Sequence[str]) -> tuple[list[float], list[float]]:
    """Lower and upper ends by metric. One file says nothing of others, so that its interval is but its own figure."""
    ends = np.array([interval(column) for column in means.T]).T
    if len(set(files)) > 1:
        other = t_interval(differences, files)
        ends = np.stack([np.minimum(ends[0], other[0]), np.maximum(ends[1], other[1])])
    low, high = ends.tolist()
    return low, high


def _adapter_or_base(pair: Pair) -> float:
    return pair.base if pair.adapter is None else pair.adapter


def _count(items: Sequence[ItemResult], reason: str) -> tuple[int, int]:
    base, adapter = (sum(item.bad_reasons[side] == reason for item in items) for side in (0, 1))
    return base, adapter
