"""How much each target counts in the loss: one table, so that a middle's end is not drowned by plain code.

Plain code is all targets, of a fill-in-the-middle example one token in thirteen is: counted alike, middles that are
70 % of the text would be 13 % of the loss. In a trial with the bundled model, an adapter trained on such a mix gained
on plain code, and its share of middles that stop by themselves fell from 81 % to 43 %: almost every target said "go
on". So:

- the recipes' shares of the text are their shares of the loss too: a recipe with more targets per token that it shows
  counts less, until each weighs what its text weighs;
- but never less than 1/16 of the recipe with the fewest targets, or most of what is computed would teach nothing;
- the prompt of a question counts as `data.prompt_loss_weight` says, relative to its recipe's answer;
- the end token of an answer counts as `data.answer_end_weight` says: it is one in about twenty targets of a middle, and
  the one that decides whether an editor shows a suggestion or a page of text. Measured with the bundled model, which
  stops very readily, on 300 held-out middles: counted five times, the share that stops by itself fell by up to 16
  points; twelve times, by 3 to 6; eighteen times over twice the steps, by 2 at most, with the gain of the loss kept. A
  model that small falls into repetition when its answers get longer, so the quick start counts the end that much; a
  model of billions does not need it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from duotune.config.run import DataConfig
from duotune.data.recipes import NAMES, RECIPES, Recipe
from duotune.models.prompts import Role

MIN_SCALE = 1 / 16

RoleCounts = Mapping[Recipe, NDArray[np.int64]]
"""Tokens of each recipe by `Role`."""


class LossWeights(BaseModel):
    """Weight of a target in the loss, by what it is.

    Attributes:
        answer_end: The end token of an answer, relative to its other tokens.
        prompts: A token of a prompt, by recipe, relative to its answer's; no target where it is 0.
        scales: A token of an answer or of a plain text, by recipe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer_end: float
    prompts: dict[Recipe, float] = {}
    scales: dict[Recipe, float] = {}

    def table(self) -> NDArray[np.float16]:
        """Weight by recipe (in the order of `NAMES`) and `Role`, as rows hold it, [recipes, roles]."""
        return np.array([self.of(name) * self.scales.get(name, 1.0) for name in NAMES], dtype=np.float16)

    def of(self, recipe: Recipe) -> NDArray[np.float64]:
        """Weight by `Role` within one recipe."""
        weights = np.zeros(len(Role))
        weights[Role.PROMPT] = self.prompts.get(recipe, 0.0)
        weights[Role.TARGET] = 1.0
        weights[Role.END] = 1.0 if RECIPES[recipe].holes is None else self.answer_end
        return weights


def loss_weights(data: DataConfig) -> LossWeights:
    """The weights that a configuration asks for, before they are balanced."""
    asked = {name: float(weight) for name, weight in data.prompt_loss_weight.model_dump().items()}
    return LossWeights.model_validate({"answer_end": data.answer_end_weight, "prompts": asked})


def balanced(weights: LossWeights, tokens: RoleCounts) -> LossWeights:
    """The weights under which the recipes' parts of the loss are as their parts of the text.

    Args:
        weights: Weights within each recipe.
        tokens: Tokens of the training documents.
    """
    density = {name: float(weights.of(name) @ counts / counts.sum()) for name, counts in tokens.items() if counts.sum()}
    least = min((each for each in density.values() if each > 0), default=0.0)
    scales = {name: max(MIN_SCALE, least / each) for name, each in density.items() if each > 0}
    return weights.model_copy(update={"scales": scales})
