"""The contract probe: does the server answer, through each adapter, as that adapter answered when it was evaluated?

vLLM accepts adapters of another base model and ignores what it does not know, without a word, so that a model list
which looks right proves nothing. The recorded token ids go to the server; the log-probabilities that it gives the
recorded answers must agree with the adapter's, and be nearer to them than to the base model's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import monotonic

from duotune.adapters.agreement import agreement, comparable, distance, not_finite, too_far
from duotune.adapters.contract import Contract, ContractCase
from duotune.endpoint.client import Endpoint, Refused

AT_ONCE = 16
CASES_IN_ALL, LEAST_CASES = 400, 4
"""Prompts of one round of probes, shared between the models, and the fewest for each: a hundred adapters on a CPU take
minutes otherwise. Four prompts are some 60 tokens, whose mean tells an adapter from another."""
_ANY_PROMPT = tuple(range(16, 32))


@dataclass(frozen=True)
class Probe:
    """How one served model answered.

    Attributes:
        name: Its name on the server.
        tokens: Tokens that were compared; 0 when it only had to answer: it has no contract, or over a quantized base
            model one in which adapter and base model are too near to each other to be told apart.
        distance: Mean distance of the answers from those recorded, in nats per token; None without a comparison.
        from_base: The same from the base model's recorded ones; None for the base model, or without a comparison.
        seconds: How long it took.
        problem: What is wrong, as the end of a sentence that begins with the name; empty when it answered as it should.
    """

    name: str
    tokens: int = 0
    distance: float | None = None
    from_base: float | None = None
    problem: str = ""
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Subject:
    """One model to be probed.

    Attributes:
        name: Its name on the server.
        contract: What was recorded; None only asks for an answer.
        is_base: Compare with the base model's side of the contract.
    """

    name: str
    contract: Contract | None
    is_base: bool = False


def probe_all(
    endpoint: Endpoint,
    subjects: Sequence[Subject],
    same_precision: bool,
    max_model_len: int | None = None,
    on_probe: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Probe, ...]:
    """Probe models one after the other, each with its cases at once.

    Args:
        endpoint: The server.
        subjects: What to probe.
        same_precision: Whether the base model is served in the precision of the contracts; where it is not (a quantized
            base model), answers must be nearer to the adapter's than to the base model's, at whatever distance.
        max_model_len: Longest prompt and answer that the server takes; longer cases are left out.
        on_probe: Told how many are done, and of how many.

    Raises:
        Unreachable: The server is gone.
    """
    probes = []
    most = max(LEAST_CASES, CASES_IN_ALL // max(1, len(subjects)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for subject in subjects:
            begun = monotonic()
            probe = _probe(endpoint, pool, subject, same_precision, max_model_len, most)
            probes.append(replace(probe, seconds=monotonic() - begun))
            on_probe(len(probes), len(subjects))
    return tuple(probes)


def _probe(
    endpoint: Endpoint,
    pool: ThreadPoolExecutor,
    subject: Subject,
    same_precision: bool,
    longest: int | None,
    most: int,
) -> Probe:
    cases = comparable(subject.contract, longest, subject.is_base)[:most]
    why = "" if subject.is_base or cases else incomparable(subject.contract, longest)
    if why:
        return Probe(subject.name, problem=why)
    try:
        if not cases:
            endpoint.complete(subject.name, _ANY_PROMPT, max_tokens=1)
            return Probe(subject.name)
        said = list(pool.map(lambda case: endpoint.prompt_logprobs(subject.name, case.ids), cases))
    except Refused as refusal:
        return Probe(subject.name, problem=f"does not answer: {refusal.reason}")
    answers = [found[len(case.prompt_ids) :] for case, found in zip(cases, said, strict=True)]
    return _judged(subject, cases, answers, same_precision)


def incomparable(contract: Contract | None, longest: int | None) -> str:
    """Why nothing of an adapter's contract can be compared, as the end of a sentence; empty when something can.

    One without any case, of an adapter that was never evaluated, has nothing to compare, and is no failure.
    """
    if contract is None or not contract.cases or comparable(contract, longest):
        return ""
    if comparable(contract, None):
        return (
            f"cannot be proven: each of its recorded answers is longer than the {longest} tokens that vLLM takes "
            "(serving.max_model_len)"
        )
    return "cannot be proven: its contract holds no answers of the adapter; evaluate and publish it again"


def _judged(
    subject: Subject, cases: Sequence[ContractCase], answers: Sequence[Sequence[float | None]], same_precision: bool
) -> Probe:
    if subject.is_base:
        said = [value for answer in answers for value in answer]
        far = distance(said, [value for case in cases for value in case.base])
        problem = not_finite(far) or (too_far(far) if same_precision else "")
        return Probe(subject.name, len(said), far, problem=problem)
    found = agreement(cases, answers)
    problem = found.problem(same_precision)
    if not problem and not found.tells(same_precision):
        return Probe(subject.name)
    return Probe(subject.name, found.tokens, found.distance, found.from_base, problem)
