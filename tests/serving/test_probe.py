"""The contract probe: what passes, what fails, and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from duotune.adapters.agreement import TOLERANCE_NATS
from duotune.adapters.contract import Contract, ContractCase
from duotune.endpoint.client import Endpoint, Refused
from duotune.serving.probe import Probe, Subject, probe_all

BASE = [-2.0, -1.0, -3.0, -0.5]
ADAPTER = [-1.0, -1.5, -1.0, -0.2]


class Server:
    """Says given log-probabilities of the last tokens, to any model."""

    def __init__(self, says: Sequence[float | None] | Exception) -> None:
        self._says = says
        self.asked: list[int] = []

    def prompt_logprobs(self, model: str, ids: Sequence[int]) -> list[float | None]:
        self.asked.append(len(ids))
        if isinstance(self._says, Exception):
            raise self._says
        return [None, *[-9.0] * (len(ids) - 1 - len(self._says)), *self._says]

    def complete(self, model: str, ids: Sequence[int], max_tokens: int) -> str:
        if isinstance(self._says, Exception):
            raise self._says
        return "x"


def contract(adapter: Sequence[float] = ADAPTER, prompt: int = 3) -> Contract:
    case = ContractCase(
        id="1", prompt_ids=list(range(prompt)), target_ids=[7, 8, 9, 10], base=BASE, adapter=list(adapter)
    )
    return Contract(model="m", tokenizer="t", family=None, precision="bfloat16", cases=[case])


def probed(says: Sequence[float | None] | Exception, subject: Subject, same_precision: bool = True) -> Probe:
    (probe,) = probe_all(cast(Endpoint, Server(says)), [subject], same_precision, max_model_len=100)
    return probe


def shifted(values: Sequence[float], by: float) -> list[float]:
    return [value + by for value in values]


def test_answers_within_the_tolerance_pass() -> None:
    probe = probed(shifted(ADAPTER, 0.9 * TOLERANCE_NATS), Subject("a.v1", contract()))
    assert probe.problem == ""
    assert probe.tokens == 4
    assert probe.distance == pytest.approx(0.9 * TOLERANCE_NATS)
    assert probe.from_base is not None
    assert probe.from_base > 0.5


def test_the_base_models_answers_fail_through_an_adapter_and_pass_through_the_base_model() -> None:
    assert "more like the base model" in probed(BASE, Subject("a.v1", contract())).problem
    assert probed(BASE, Subject("base", contract(), is_base=True)).problem == ""
    assert "away from what was recorded" in probed(ADAPTER, Subject("base", contract(), is_base=True)).problem


def test_answers_of_another_adapter_fail() -> None:
    other = [2 * adapter - base for adapter, base in zip(ADAPTER, BASE, strict=True)]
    assert "nats per token away" in probed(other, Subject("a.v1", contract())).problem


def test_in_another_precision_only_the_nearer_side_counts() -> None:
    far = shifted(ADAPTER, 0.2)
    assert probed(far, Subject("a.v1", contract())).problem
    assert probed(far, Subject("a.v1", contract()), same_precision=False).problem == ""
    assert probed(BASE, Subject("a.v1", contract()), same_precision=False).problem


def test_adapter_that_is_nearly_the_base_model_is_not_failed_by_rounding() -> None:
    alike = contract(shifted(BASE, 0.004))
    assert probed(shifted(BASE, -0.01), Subject("a.v1", alike)).problem == ""


def test_token_that_the_server_leaves_out_fails() -> None:
    assert probed([None, *ADAPTER[1:]], Subject("a.v1", contract())).problem


def test_without_a_contract_it_only_has_to_answer() -> None:
    assert probed([], Subject("a.v1", None)) == Probe("a.v1")
    refused = Refused("The server answered 500.", 500, "engine is dead")
    assert probed(refused, Subject("a.v1", None)).problem == "does not answer: engine is dead"
    assert probed(refused, Subject("a.v1", contract())).problem == "does not answer: engine is dead"


def test_adapter_of_which_nothing_can_be_compared_fails() -> None:
    server = Server(ADAPTER)
    (probe,) = probe_all(cast(Endpoint, server), [Subject("a.v1", contract(prompt=200))], True, max_model_len=100)
    assert server.asked == []
    assert "longer than the 100 tokens that vLLM takes (serving.max_model_len)" in probe.problem
    base_only = contract().model_copy(update={"cases": [contract().cases[0].model_copy(update={"adapter": None})]})
    assert "no answers of the adapter" in probed(ADAPTER, Subject("a.v1", base_only)).problem
    assert probed(BASE, Subject("base", base_only, is_base=True)).problem == ""


def test_prompts_longer_than_the_server_takes_are_left_out() -> None:
    cases = [*contract(prompt=200).cases, *contract().cases]
    server = Server(ADAPTER)
    some = contract().model_copy(update={"cases": cases})
    (probe,) = probe_all(cast(Endpoint, server), [Subject("a.v1", some)], True, max_model_len=100)
    assert (probe.tokens, probe.problem, server.asked) == (4, "", [7])


def test_many_models_share_the_prompts_of_a_round() -> None:
    many = contract().model_copy(update={"cases": contract().cases * 16})
    server = Server(ADAPTER)
    probes = probe_all(cast(Endpoint, server), [Subject(f"a{n}.v1", many) for n in range(100)], True)
    assert {probe.tokens for probe in probes} == {4 * len(ADAPTER)}
    assert probed(ADAPTER, Subject("a.v1", many)).tokens == 16 * len(ADAPTER)


@pytest.mark.parametrize("same_precision", [True, False])
@pytest.mark.parametrize("one", [None, float("nan"), float("-inf")])
def test_an_answer_without_a_probability_fails_in_every_precision(one: float | None, same_precision: bool) -> None:
    near = shifted(BASE, 0.001)
    for adapter in (ADAPTER, near):
        says = [one, *adapter[1:]]
        for subject in (Subject("a.v1", contract(adapter)), Subject("base", contract(adapter), is_base=True)):
            assert "does not give each recorded answer a probability" in probed(says, subject, same_precision).problem


def test_in_another_precision_an_adapter_almost_like_its_base_model_only_has_to_answer() -> None:
    near = contract(shifted(BASE, 0.001))
    assert probed(shifted(BASE, 0.2), Subject("a.v1", near), same_precision=False) == Probe("a.v1")
    assert probed(shifted(BASE, 0.2), Subject("a.v1", near)).problem
