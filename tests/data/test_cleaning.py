"""What is done about findings, from one text to the report of a dataset; values appear nowhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duotune import paths
from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.explain import explain
from duotune.data.items import TestFile, fim_holes, signature_holes
from duotune.data.manifest import read_manifest
from duotune.data.part_files import TEXTS_FILE, Texts, read_documents
from duotune.data.parts import RECORD_FILE, read_record
from duotune.data.placeholders import PLACEHOLDER
from duotune.data.prepare import Part
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import Cleaner
from duotune.data.redaction.fingerprints import KEY_BYTES, KEY_FILE, Fingerprints, fingerprints
from duotune.data.redaction.report import ReportedFinding
from duotune.errors import HostError
from duotune.models.tokenizer import CodeTokenizer
from duotune.sources.open import open_source
from support.planted import planted
from support.planting import Planted
from support.preparing import DATA, EVALUATION, MODULES, STANDARD_LIBRARY, dataset_of, part_of

CORPUS = planted()
BY_TYPE = {one.type: one for one in CORPUS}
# Types in Python whose file is redacted, not dropped.
REDACTED = [one for one in CORPUS if one.language == "Python" and one.rule != "private-key"]
CODE = "def area(width, height):\n    return width * height\n"


def cleaner(**changes: str) -> Cleaner:
    return Cleaner(DataConfig.model_validate(changes), Fingerprints(b"k" * KEY_BYTES))


def lines_of(*types: str) -> str:
    return CODE + "".join(f"{BY_TYPE[name].line}\n" for name in types)


def test_one_secret_is_redacted_and_the_file_is_kept() -> None:
    cleaned = cleaner().clean(lines_of("gitlab-personal"), "Python")
    assert cleaned.text == f'{CODE}handle = "REDACTED_TOKEN"\n'
    assert cleaned.reason is None
    assert [(found.rule, found.kind, found.line) for found in cleaned.findings] == [("gitlab-token", "secret", 3)]


def test_three_different_secrets_drop_a_file_and_one_three_times_does_not() -> None:
    assert cleaner().clean(lines_of("npm", "pypi", "openai"), "Python").reason is Reason.MANY_SECRETS
    assert cleaner().clean(lines_of("npm", "npm", "npm", "pypi"), "Python").reason is None


def test_a_private_key_drops_its_file_and_strict_mode_any_file_with_a_secret() -> None:
    assert cleaner().clean(lines_of("rsa-private-key"), "Python").reason is Reason.SECRET_FILE
    key = BY_TYPE["generic-token"].secret + "a-7"
    assert cleaner().clean(f'{{"kty": "EC", "d": "{key}"}}', "JSON").reason is Reason.SECRET_FILE
    assert cleaner(secrets="drop").clean(lines_of("weak-password"), "Python").reason is Reason.HOLDS_SECRET
    assert cleaner(secrets="drop").clean(f"{CODE}# jo@kestrel.io\n", "Python").reason is None


def test_personal_data_is_kept_when_asked_for() -> None:
    text = f"{CODE}# jo@kestrel.io\n"
    assert cleaner().clean(text, "Python").text == f"{CODE}# REDACTED_EMAIL\n"
    assert cleaner(personal_data="keep").clean(text, "Python").text == text


def test_fingerprints_tell_values_apart_and_need_the_key() -> None:
    text = lines_of("npm", "npm", "pypi")
    one, same, other = (found.fingerprint for found in cleaner().clean(text, "Python").findings)
    assert one == same != other
    assert one != Fingerprints(b"j" * KEY_BYTES).of(BY_TYPE["npm"].secret)


def test_the_key_is_made_once_private_and_whole_by_whoever_comes_first() -> None:
    with ThreadPoolExecutor(8) as pool:
        marks = set(pool.map(lambda _: fingerprints().of("x"), range(32)))
    file = paths.home() / KEY_FILE
    assert len(marks) == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_bytes()) == KEY_BYTES
    assert [entry.name for entry in paths.home().iterdir()] == [KEY_FILE]
    file.write_bytes(b"short")
    with pytest.raises(HostError, match="is damaged"):
        fingerprints()


def test_the_key_can_be_read_by_the_group_that_shares_the_home_and_by_no_other() -> None:
    paths.home().mkdir(parents=True)
    file = paths.home() / KEY_FILE
    for home, key in ((0o2770, 0o640), (0o755, 0o600), (0o775, 0o640), (0o700, 0o600)):
        paths.home().chmod(home)
        fingerprints()
        assert file.stat().st_mode & 0o777 == key
        file.unlink()
    fingerprints()
    paths.home().chmod(0o2770)
    fingerprints()
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_home_that_cannot_be_written_is_told_in_a_sentence() -> None:
    paths.home().write_text("a file, no folder")
    with pytest.raises(HostError, match="cannot be used"):
        fingerprints()


def stored_values(part: Part, tokenizer: CodeTokenizer) -> str:
    """All that a part holds of its files' text: token streams decoded, texts, and its record."""
    streams = [tokenizer.decode(ids) for batch in read_documents(part.directory) for ids in batch["ids"].to_pylist()]
    texts = Texts(part.directory / TEXTS_FILE)
    record = (part.directory / RECORD_FILE).read_text()
    return "\n".join([*streams, *(texts.text(row) for row in range(len(texts))), record])


def test_no_value_is_in_a_part_or_dataset_and_the_report_names_each_place(
    modules: Callable[..., Path], tokenizer: CodeTokenizer
) -> None:
    folder = modules("library")
    code = (STANDARD_LIBRARY / "ast.py").read_text()
    planted_lines = lines_of("gitlab-personal", "python-password")
    (folder / "client.py").write_text(f"{planted_lines}\n{code}")
    (folder / "keys.py").write_text(f"{lines_of('npm', 'pypi', 'openai')}\n{code[::2]}")
    part = part_of(folder, tokenizer)
    dataset = dataset_of([part], tokenizer)
    secrets = [BY_TYPE[name].secret for name in ("gitlab-personal", "python-password", "npm", "pypi", "openai")]
    everything = stored_values(part, tokenizer) + "".join(
        file.read_text(errors="replace") for file in dataset.directory.rglob("*") if file.is_file()
    )
    assert [secret for secret in secrets if secret in everything] == []
    reported = [ReportedFinding.model_validate_json(line) for line in dataset.findings_file.read_text().splitlines()]
    found = {(one.path, one.line, one.rule, one.outcome) for one in reported if one.kind == "secret"}
    assert found == {
        ("client.py", 3, "gitlab-token", "redacted"),
        ("client.py", 4, "password", "redacted"),
        ("keys.py", 3, "npm-token", "dropped"),
        ("keys.py", 4, "pypi-token", "dropped"),
        ("keys.py", 5, "openai-key", "dropped"),
    }
    counts = read_manifest(dataset.directory).findings
    assert (counts.secrets, counts.dropped_files) == (5, 1)
    assert counts.by_rule["email"] == counts.personal == dataset.findings.personal > 0
    assert counts.redacted_files == len({one.path for one in reported} - {"keys.py"})
    rejected = {file.path: file.reason for file in read_record(part.directory).rejected}
    assert rejected == {"keys.py": Reason.MANY_SECRETS}


def test_a_secret_in_a_path_is_in_no_part_dataset_or_verdict(
    modules: Callable[..., Path], tokenizer: CodeTokenizer
) -> None:
    folder = modules("library")
    token = BY_TYPE["gitlab-personal"].secret
    (folder / token).mkdir()
    (folder / f"client-{token}.py").write_text((STANDARD_LIBRARY / "ast.py").read_text())
    (folder / token / "server.py").write_text((STANDARD_LIBRARY / "csv.py").read_text())
    (folder / token / "link.py").symlink_to("server.py")
    part = part_of(folder, tokenizer)
    dataset = dataset_of([part], tokenizer)
    everything = stored_values(part, tokenizer) + "".join(
        file.read_text(errors="replace") for file in paths.home().rglob("*") if file.is_file()
    )
    assert token not in everything
    assert not [file for file in dataset.directory.rglob("*") if token in file.name]
    rejected = {file.path: (file.reason, file.detail) for file in read_record(part.directory).rejected}
    verdict = (Reason.SECRET_FILE, "gitlab-token in its path")
    assert rejected == dict.fromkeys(
        ("client-REDACTED_TOKEN", "REDACTED_TOKEN/link.py", "REDACTED_TOKEN/server.py"), verdict
    )
    with open_source(str(folder)) as source:
        shown = explain(source, ProjectConfig(source=str(folder)), DATA, f"client-{token}.py")
    assert token not in repr(shown)


def test_the_settings_make_another_part_and_another_dataset(
    modules: Callable[..., Path], tokenizer: CodeTokenizer
) -> None:
    folder = modules("library")
    first = dataset_of([part_of(folder, tokenizer)], tokenizer)
    for changes in ({"personal_data": "keep"}, {"secrets": "drop"}):
        data = DATA.model_copy(update=changes)
        part = part_of(folder, tokenizer, data)
        assert not part.reused
        other = dataset_of([part], tokenizer, data)
        assert other.fingerprint != first.fingerprint
        assert read_manifest(other.directory).settings.model_dump().items() >= changes.items()
        assert (other.findings.personal == 0) == (changes == {"personal_data": "keep"})


def test_no_item_asks_for_a_placeholder() -> None:
    body = "".join(f'    connect("REDACTED_PASSWORD", {number})\n' for number in range(40))
    text = "".join(
        f"def call_{name}():\n{body}\n\ndef plain_{name}(a):\n    return a + {name} * 1000\n\n" for name in range(9)
    )
    file = TestFile("p", "a.py", "Python", "c", "content", lambda: text)
    evaluation = EVALUATION.model_copy(update={"fim_items": 50, "signature_items": 50})
    holes = [*fim_holes([file] * 9, evaluation), *signature_holes([file], evaluation)]
    assert {hole.set for hole in holes} == {"fim", "signature"}
    assert not [hole for hole in holes if PLACEHOLDER.search(hole.gold)]


@settings(derandomize=True, max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.tuples(st.sampled_from(MODULES[:12]), st.floats(0, 1)), min_size=1, max_size=2),
    seed=st.integers(0, 1000),
    picks=st.lists(st.integers(0, len(REDACTED) - 1), min_size=2, max_size=2),
)
def test_no_planted_secret_survives_in_any_token_stream(
    tmp_path_factory: pytest.TempPathFactory,
    tokenizer: CodeTokenizer,
    places: list[tuple[str, float]],
    seed: int,
    picks: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("project")
    again = [one for one in planted(seed) if one.language == "Python" and one.rule != "private-key"]
    used: list[Planted] = []
    for (module, place), pick in zip(places, picks, strict=False):
        code = (STANDARD_LIBRARY / f"{module}.py").read_text()
        line = int(place * code.count("\n"))
        before = "".join(code.splitlines(keepends=True)[:line])
        (folder / f"{module}.py").write_text(f"{before}{again[pick].line}\n{code[len(before) :]}")
        used.append(again[pick])
    stored = stored_values(part_of(folder, tokenizer), tokenizer)
    assert "REDACTED_" in stored
    assert [one.type for one in used if one.secret in stored] == []
