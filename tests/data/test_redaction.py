"""Every planted type of secret is found and gone; look-alikes stay as they are."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duotune.data.placeholders import PLACEHOLDER
from duotune.data.redaction.finding import redact
from duotune.data.redaction.scan import scan
from support.declared import jumbled
from support.look_alikes import LOOK_ALIKES
from support.planted import planted
from support.planting import Planted
from support.preparing import MODULES, STANDARD_LIBRARY

SEEDS = 40
CORPUS = planted()
BEFORE, AFTER = "first = 1\n\n", "\nlast = 2\n"


def found(text: str, language: str) -> list[tuple[str, str, int]]:
    """Rule, value and line of each finding."""
    return [(one.rule, text[one.start : one.end], one.line) for one in scan(text, language)]


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({one.type for one in CORPUS}) == len(CORPUS) >= 100
    assert len(LOOK_ALIKES) >= 60


@pytest.mark.parametrize("secret", CORPUS, ids=[one.type for one in CORPUS])
def test_each_type_is_found_exactly_and_does_not_survive(secret: Planted) -> None:
    text = f"{BEFORE}{secret.line}{AFTER}"
    line = 3 + secret.line[: secret.line.index(secret.span)].count("\n")
    assert found(text, secret.language) == [(secret.rule, secret.span, line)]
    clean = redact(text, scan(text, secret.language))
    assert secret.secret not in clean
    assert clean.startswith(BEFORE)
    assert clean.endswith(AFTER)
    assert len(PLACEHOLDER.findall(clean)) == 1
    assert scan(clean, secret.language) == []


def test_recall_over_many_secrets_of_each_type() -> None:
    missed = []
    for seed in range(SEEDS):
        for one in planted(seed):
            text = f"{BEFORE}{one.line}{AFTER}"
            if one.secret in redact(text, scan(text, one.language)):
                missed.append(one.line)
    assert len(missed) <= 0.001 * SEEDS * len(CORPUS), missed


def test_most_secrets_of_letters_only_are_found_in_every_language() -> None:
    hits: dict[str, list[bool]] = {}
    for seed in range(SEEDS):
        for one in jumbled(seed):
            text = f"{BEFORE}{one.line}{AFTER}"
            hit = (one.rule, one.span) in [(rule, value) for rule, value, _ in found(text, one.language)]
            hits.setdefault(one.language, []).append(hit)
    assert {language: rate for language, many in hits.items() if (rate := sum(many) / len(many)) < 0.9} == {}
    every = [hit for many in hits.values() for hit in many]
    assert sum(every) >= 0.95 * len(every)


def test_a_passphrase_of_a_settings_file_is_found_and_a_sentence_is_none() -> None:
    phrase = " ".join(("correct", "horse", "battery", "staple"))
    assert found(f'password: "{phrase}"\n', "YAML") == [("password", phrase, 1)]
    assert found(f'"password": "{phrase}"\n', "JSON") == [("password", phrase, 1)]
    assert found(f'password = "{phrase}"\n', "Python") == []
    assert found('password: "must match the other password"\n', "YAML") == []


@pytest.mark.parametrize(("line", "language"), LOOK_ALIKES, ids=[line[:40] for line, _ in LOOK_ALIKES])
def test_look_alikes_are_left_alone(line: str, language: str) -> None:
    assert found(f"{BEFORE}{line}{AFTER}", language) == []


PERSONAL = [
    ("# Author: Jo Doe <jo.doe@kestrel.io>", "email", "jo.doe@kestrel.io"),
    ("mail = 'j.doe+lists@mail.kestrel.co.uk'", "email", "j.doe+lists@mail.kestrel.co.uk"),
    ("Ask jane_doe@kestrel.corp.", "email", "jane_doe@kestrel.corp"),
    ('host = "88.99.140.27"', "ip-address", "88.99.140.27"),
    ("ping 203.5.77.141 # gateway", "ip-address", "203.5.77.141"),
    ('host = "2a01:4f8:c17:b8f::2"', "ip-address", "2a01:4f8:c17:b8f::2"),
    ('phone = "+49 30 901820-14"', "phone-number", "+49 30 901820-14"),
    ("Call +44 20 7946 0958 for help", "phone-number", "+44 20 7946 0958"),
    ('href="tel:+4930901829"', "phone-number", "+4930901829"),
]


@pytest.mark.parametrize(("line", "rule", "value"), PERSONAL)
def test_personal_data_is_found_and_only_when_asked_for(line: str, rule: str, value: str) -> None:
    text = f"{BEFORE}{line}{AFTER}"
    assert found(text, "Python") == [(rule, value, 3)]
    assert scan(text, "Python", personal_data=False) == []
    assert value not in redact(text, scan(text, "Python"))


def test_a_password_before_a_host_is_no_mail_address() -> None:
    secret = next(one for one in CORPUS if one.type == "https-url")
    text = f'URL = "https://svc:{secret.secret}@mail.kestrel.io/x"\nMAIL = "jo@kestrel.io"\n'
    assert (
        redact(text, scan(text)) == 'URL = "https://svc:REDACTED_PASSWORD@mail.kestrel.io/x"\nMAIL = "REDACTED_EMAIL"\n'
    )


def test_lines_are_those_of_the_original_also_after_a_key_of_many_lines() -> None:
    block = next(one for one in CORPUS if one.type == "rsa-private-key")
    text = f'{block.line}\n\nPASSWORD = "sunny4711day"\n'
    assert [(rule, line) for rule, _, line in found(text, "Python")] == [("private-key", 1), ("password", 8)]


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    module=st.sampled_from(MODULES),
    place=st.floats(0, 1),
    seed=st.integers(0, 10_000),
    pick=st.integers(0, len(CORPUS) - 1),
    non_ascii=st.sampled_from(["", "# Grüße, 世界, İ\n"]),
)
def test_no_planted_secret_survives_anywhere_in_real_code(
    module: str, place: float, seed: int, pick: int, non_ascii: str
) -> None:
    code = non_ascii + (STANDARD_LIBRARY / f"{module}.py").read_text()
    secret = planted(seed)[pick]
    at = int(place * len(code))
    text = f"{code[:at]}\n{secret.line}\n{code[at:]}"
    findings = scan(text, secret.language)
    assert all(former.end <= later.start for former, later in itertools.pairwise(findings))
    assert all(one.line == text[: one.start].count("\n") + 1 for one in findings)
    clean = redact(text, findings)
    assert secret.secret not in clean
    assert clean.count("\n") == text.count("\n") - sum(text[one.start : one.end].count("\n") for one in findings)
