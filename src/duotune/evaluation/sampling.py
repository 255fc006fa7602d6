"""A few held-out completions, answered again and again while an adapter is trained: curves for a person to watch.

Nothing is chosen by them: the adapter that is kept is that of the lowest validation loss. Answers are greedy, so that
no random number is drawn, and the training goes on as if nobody had asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from duotune.evaluation.generate import answer
from duotune.evaluation.model import TwoModels
from duotune.evaluation.prompts import render
from duotune.evaluation.text import bad_reason, edit_similarity, headline
from duotune.models.items import HeldOutItem
from duotune.models.prompts import PromptRenderer

LONGEST_ANSWER = 64
"""Tokens; a curve needs less than a verdict."""


class Sampler:
    """Asks a model that is being trained.

    Args:
        items: Some held-out items.
        renderer: The one prompt renderer.
        context: Tokens that prompt and answer may have together.
        longest: Most tokens of an answer in the evaluation.
    """

    def __init__(self, items: Sequence[HeldOutItem], renderer: PromptRenderer, context: int, longest: int) -> None:
        self._renderer = renderer
        self._questions = render(items, renderer, context, min(longest, LONGEST_ANSWER))
        self._context = context

    def __call__(self, causal: Any, device: torch.device) -> dict[str, float]:
        """Mean `edit_similarity` and `bad_responses` of the model's answers; see `duotune.evaluation.results`.

        Args:
            causal: The causal language model with its adapter, under an attention that takes padded prompts.
            device: Where it lies.
        """
        with torch.no_grad():
            found = answer(
                TwoModels(causal, None, device, self._context),
                [question.prompt for question in self._questions],
                [question.target for question in self._questions],
                [question.limit for question in self._questions],
                self._renderer.end_ids,
            )
        tokenizer = self._renderer.tokenizer
        similar, bad = 0.0, 0
        for question, said in zip(self._questions, found, strict=True):
            text = tokenizer.decode(said.ids)
            similar += edit_similarity(headline(question.item, text), question.item.gold)
            controls = any(map(tokenizer.is_control, said.ids))
            bad += bad_reason(question.item, text, said.stopped, controls) is not None
        count = len(self._questions)
        return {"edit_similarity": similar / count, "bad_responses": bad / count}
