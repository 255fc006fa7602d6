"""How near answers are to those that an adapter's contract recorded: nearer to the adapter's than to the base model's?

A server that ignores an adapter, and a merged model that was put together wrongly, both look right from outside. The
log-probabilities that they give the recorded answers tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean

from duotune.adapters.contract import Contract, ContractCase

TOLERANCE_NATS = 0.1
"""Largest mean distance per token. Measured with vLLM 0.32 on a CPU in bfloat16: see `benchmarks/serving.py`. bfloat16
logits near 20 are 0.125 apart, so that two honest kernels differ by some hundredths per token."""
LEAST_SEPARATION_NATS = 0.02
"""Below this distance of adapter and base model, rounding alone decides which of them an answer is nearer to."""


@dataclass(frozen=True)
class Agreement:
    """Mean distances per token, in nats.

    Attributes:
        tokens: How many were compared.
        distance: Of the answers from the adapter's recorded ones.
        from_base: Of the answers from the base model's recorded ones.
        separation: Of adapter and base model from each other.
    """

    tokens: int
    distance: float
    from_base: float
    separation: float

    @property
    def like_the_base(self) -> bool:
        """Whether they are as near to the base model as to the adapter, where those two can be told apart."""
        return self.separation >= LEAST_SEPARATION_NATS and self.distance >= self.from_base

    def tells(self, same_precision: bool) -> bool:
        """Whether anything is proven by there being no problem.

        Args:
            same_precision: As of `problem`. Where it is not the same, the distance may be any, and an adapter that
                answers almost as the base model does cannot be told from it.
        """
        return same_precision or self.separation >= LEAST_SEPARATION_NATS

    def problem(self, same_precision: bool) -> str:
        """What is wrong, as the end of a sentence that begins with what answered; empty when all is well.

        Args:
            same_precision: Whether it answered in the precision that was recorded; where it did not (over a quantized
                base model), answers must be nearer to the adapter's than to the base model's, at whatever distance.
        """
        if missing := not_finite(self.distance):
            return missing
        if self.like_the_base:
            return (
                f"answers more like the base model ({self.from_base:.3f} nats per token away) than like the adapter "
                f"that was evaluated ({self.distance:.3f})"
            )
        return too_far(self.distance) if same_precision else ""


def agreement(cases: Sequence[ContractCase], answers: Sequence[Sequence[float | None]]) -> Agreement:
    """Compare answers with the adapter's.

    Args:
        cases: What was recorded, at least one case, each with the adapter's side.
        answers: The log-probability of each target token of each case; None where there is none.
    """
    said = [value for answer in answers for value in answer]
    base = [value for case in cases for value in case.base]
    adapter = [value for case in cases for value in case.adapter or ()]
    return Agreement(len(said), distance(said, adapter), distance(said, base), distance(adapter, base))


def too_far(found: float) -> str:
    """What is wrong with that distance, as the end of a sentence; empty when it is small enough."""
    if found <= TOLERANCE_NATS:
        return ""
    return (
        f"answers {found:.3f} nats per token away from what was recorded when it was evaluated, "
        f"where {TOLERANCE_NATS} is allowed"
    )


def not_finite(found: float) -> str:
    """What is wrong with a distance that is no number, as the end of a sentence; empty when it is one."""
    return "" if isfinite(found) else "does not give each recorded answer a probability"


def distance(said: Sequence[float | None], recorded: Sequence[float]) -> float:
    """Mean distance per token; infinite where there is no answer."""
    return fmean(float("inf") if one is None else abs(one - other) for one, other in zip(said, recorded, strict=True))


def comparable(contract: Contract | None, longest: int | None, is_base: bool = False) -> list[ContractCase]:
    """The cases of a contract whose answers can be compared.

    Args:
        contract: What was recorded, if anything was.
        longest: Longest prompt and answer that the server takes; None where that is not known.
        is_base: The base model's answers are asked for, not the adapter's.
    """
    cases = contract.cases if contract else []
    told = [case for case in cases if case.target_ids and (is_base or case.adapter is not None)]
    return [case for case in told if longest is None or len(case.ids) < longest]
