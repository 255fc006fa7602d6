"""No file, however it is written, makes the scanner's patterns try the same characters again and again."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from duotune.data.redaction import assignments, declarations, jumble, names, values
from duotune.data.redaction.credentials import CONTEXTS
from duotune.data.redaction.issuers import ISSUERS, Issuer, issued

_parser: Any = importlib.import_module("re._parser")
_constants: Any = importlib.import_module("re._constants")
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
PATTERNS = {
    **{f"{one.rule}-{number}": one.pattern for number, one in enumerate(CONTEXTS)},
    **{f"{one.rule}-{number}": one.pattern for number, one in enumerate(ISSUERS, len(CONTEXTS))},
    **{
        f"{module.__name__}.{name}": value
        for module in (assignments, declarations, jumble, names, values)
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    },
}


def nested(parsed: Any, inside: bool = False) -> Iterator[str]:
    """Repeats without end that hold another one, where each way to split the text between them may be tried."""
    for code, value in parsed:
        if code in _REPEATS:
            endless = value[1] == _constants.MAXREPEAT
            if endless and inside:
                yield str(value)
            yield from nested(value[2], inside or endless)
        elif code is _constants.POSSESSIVE_REPEAT:
            yield from nested(value[2])
        elif code is _constants.BRANCH:
            for branch in value[1]:
                yield from nested(branch, inside)
        elif code is _constants.SUBPATTERN:
            yield from nested(value[3], inside)
        elif code in (_constants.ASSERT, _constants.ASSERT_NOT):
            yield from nested(value[1])


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_has_an_endless_repeat_within_another(name: str) -> None:
    assert list(nested(_parser.parse(PATTERNS[name].pattern, PATTERNS[name].flags))) == []


def test_the_check_knows_what_it_looks_for() -> None:
    assert list(nested(_parser.parse("(?:a+b?)*c")))
    assert not list(nested(_parser.parse("(?:a{1,9}b?)*c|(?:a+b?)*+c")))


def test_no_place_is_tried_twice_for_one_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    azure = next(one for one in ISSUERS if one.rule == "azure-devops-token")

    class Counting:
        def match(self, text: str, start: int) -> re.Match[str] | None:
            tried.append(start)
            return azure.pattern.match(text, start)

    counting: Any = Counting()
    text = "AZDO1-AA" * 500
    rules = importlib.import_module("duotune.data.redaction.issuers")
    monkeypatch.setitem(rules._BY_MARK, "AZDO", [Issuer(azure.rule, azure.marks, counting, azure.lead)])
    assert list(issued(text, 0, len(text))) == []
    assert 0 < len(tried) == len(set(tried)) <= len(text)
