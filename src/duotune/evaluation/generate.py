"""Scores gold answers and generates greedy ones, in batches that share one reading of the prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from duotune.evaluation.model import TwoModels

GOLD_PIECE = 64


@dataclass(frozen=True)
class Answer:
    """What a model said to one prompt.

    Attributes:
        ids: Generated token ids, without the end token.
        stopped: Whether it ended by itself, within the limit.
        gold_logprobs: Log-probability of each token of the gold answer and its end, in nats.
    """

    ids: list[int]
    stopped: bool
    gold_logprobs: list[float]


def answer(
    models: TwoModels,
    prompts: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    limits: Sequence[int],
    end_ids: Sequence[int],
) -> list[Answer]:
    """Score the targets and answer greedily; the prompts are padded on the left and read once for both.

    Args:
        models: Speaking as one of its sides (see `TwoModels.speaking`).
        prompts: Token ids, none empty.
        targets: Gold answers with their end token.
        limits: Most tokens of each answer, whatever the others of the batch need.
        end_ids: Any of these ends an answer.
    """
    batch = _Batch(models, prompts)
    logprobs = batch.score(targets)
    if not batch.forget_targets(targets):
        batch = _Batch(models, prompts)
    with models.decoding():
        generated = batch.generate(limits, frozenset(end_ids))
    return [Answer(ids, stopped, scores) for (ids, stopped), scores in zip(generated, logprobs, strict=True)]


class _Batch:
    """Prompts in a model's cache."""

    def __init__(self, models: TwoModels, prompts: Sequence[Sequence[int]]) -> None:
        from transformers import DynamicCache

        self._models, device = models, models.device
        longest = max(map(len, prompts))
        ids = torch.zeros((len(prompts), longest), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        self._mask = mask.to(device)
        self._lengths = self._mask.sum(-1)
        self._cache = DynamicCache(config=models.causal.config)
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0)
        self._last = self._read(ids.to(device), self._mask, positions, keep=1)[:, -1]

    def _read(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, keep: int) -> torch.Tensor:
        logits: torch.Tensor = self._models.causal(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits
        return logits

    def score(self, targets: Sequence[Sequence[int]]) -> list[list[float]]:
        """Log-probabilities of the targets after their prompts; the cache holds them afterwards."""
        device = self._models.device
        longest = max(map(len, targets))
        padded = torch.zeros((len(targets), longest), dtype=torch.long)
        present = torch.zeros_like(padded)
        for row, target in enumerate(targets):
            padded[row, : len(target)] = torch.tensor(target)
            present[row, : len(target)] = 1
        padded, present = padded.to(device), present.to(device)
        scores = [_logprobs(self._last[:, None], padded[:, :1])]
        # In pieces, so that the logits of a long answer over a large vocabulary never exist at once.
        for first in range(0, longest - 1, GOLD_PIECE):
            last = min(first + GOLD_PIECE, longest - 1)
            mask = torch.cat([self._mask, present[:, :last]], 1)
            positions = self._lengths[:, None] + torch.arange(first, last, device=device)
            logits = self._read(padded[:, first:last], mask, positions, keep=0)
            scores.append(_logprobs(logits, padded[:, first + 1 : last + 1]))
        table = torch.cat(scores, 1).tolist()
        return [row[: len(target)] for row, target in zip(table, targets, strict=True)]

    def forget_targets(self, targets: Sequence[Sequence[int]]) -> bool:
        """Put the cache back to the prompts; False when this architecture's cache cannot."""
        from transformers.cache_utils import DynamicLayer

        if any(type(layer) is not DynamicLayer for layer in self._cache.layers):
            return False
        surplus = max(map(len, targets)) - 1
        if surplus:
            self._cache.crop(-surplus)
        return True

    def generate(self, limits: Sequence[int], end_ids: frozenset[int]) -> list[tuple[list[int], bool]]:
        """Greedy answers and whether each ended by itself; rows that are done leave the batch."""
        answers: list[list[int]] = [[] for _ in limits]
        stopped = [False] * len(limits)
        rows = list(range(len(limits)))
        mask, positions, last = self._mask, self._lengths, self._last
        while rows:
            tokens = last.argmax(-1)
            going = []
            for place, (row, token) in enumerate(zip(rows, tokens.tolist(), strict=True)):
                if token in end_ids:
                    stopped[row] = True
                elif len(answers[row]) < limits[row]:
                    answers[row].append(token)
                    going.append(place)
            if len(going) < len(rows):
                rows = [rows[place] for place in going]
                if not rows:
                    break
                kept = torch.tensor(going, device=self._models.device)
                self._cache.batch_select_indices(kept)
                mask, positions, tokens = mask[kept], positions[kept], tokens[kept]
            mask = torch.cat([mask, mask.new_ones((len(rows), 1))], 1)
            last = self._read(tokens[:, None], mask, positions[:, None], keep=1)[:, -1]
            positions = positions + 1
        return list(zip(answers, stopped, strict=True))


def _logprobs(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Log-probability of `tokens` [batch, n] under `logits` [batch, n, vocabulary], in float32."""
    whole: Any = logits.float().log_softmax(-1)
    chosen: torch.Tensor = whole.gather(-1, tokens[..., None])[..., 0]
    return chosen
