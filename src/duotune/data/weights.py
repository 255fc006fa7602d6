"""How much each target counts in the loss: one table, so that a middle's end is not drowned by plain code.

Plain code is all targets, of a fill-in-the-middle example one token in thirteen is: counted alike, middles that are
70 % of the text would be 13 % of the loss. In a trial with the bundled model, an adapter trained on such a mix gained
on plain code, and its share of middles that stop by themselves fell from 81 % to 43 %: almost every target said "go
on". So:

- the recipes' shares are shares of the loss too: plain code counts less, until both recipes weigh what they were given;
- but never less than 1/16 of a middle's token, or most of what is computed would teach nothing;
- the end token of a middle counts five times: one in about twenty targets of a middle, and the one that decides
  whether an editor shows a suggestion or a page of text. Measured on the quick start with the bundled model, which
  stops very readily: counted twice, the share that stops by itself fell from 92 % to 81 %; counted five times, it
  stayed at 92 % on one commit of this checkout and fell from 98 % to 90 % on another. So it is better, not settled.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from duotune.config.run import Recipes

MIN_CODE = 1 / 16


class LossWeights(BaseModel):
    """Weight of a target in the loss, by what it is.

    Attributes:
        code: A token of plain code, or its end.
        middle: A token of a middle.
        middle_end: The end token of a middle.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: float = 1.0
    middle: float = 1.0
    middle_end: float = 5.0


def balanced(recipes: Recipes, code_targets: int, middle_targets: int, middle_ends: int) -> LossWeights:
    """Weights under which the recipes' parts of the loss are as their shares.

    Args:
        recipes: The shares.
        code_targets: Targets in documents of plain code.
        middle_targets: Tokens of middles.
        middle_ends: End tokens of middles.
    """
    weights = LossWeights()
    middles = weights.middle * middle_targets + weights.middle_end * middle_ends
    if not middles or not code_targets or not recipes.code or not recipes.fim:
        return weights
    code = middles * recipes.code / (recipes.fim * code_targets)
    return weights.model_copy(update={"code": min(1.0, max(MIN_CODE, code))})
