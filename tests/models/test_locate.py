"""Every way of not being a model has its own sentence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from duotune import paths
from duotune.errors import ModelError
from duotune.models.locate import fingerprint, known_fingerprint, locate


@pytest.fixture
def model(micro_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(micro_model, tmp_path / "model")


def touch(*names: str) -> Callable[[Path], None]:
    def build(directory: Path) -> None:
        for name in names:
            (directory / name).write_text("{}")

    return build


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (touch(), "is empty"),
        (touch("notes.txt"), r"is not a model directory: it has no config\.json"),
        (touch("adapter_config.json", "adapter_model.safetensors"), "is an adapter, not a base model"),
        (touch("model.Q4.GGUF"), "only there as GGUF"),
        (touch("config.json", "model.gguf"), "only there as GGUF"),
        (touch("config.json", "tokenizer.json", "pytorch_model.bin"), "only as Python pickles"),
        (touch("config.json", "tokenizer.json"), r"but no \*\.safetensors weights"),
        (touch("config.json", "model.safetensors"), r"has no tokenizer\.json"),
    ],
)
def test_directory_that_is_no_model_says_why(tmp_path: Path, build: Callable[[Path], None], said: str) -> None:
    (tmp_path / "here").mkdir()
    build(tmp_path / "here")
    with pytest.raises(ModelError, match=said) as caught:
        locate(str(tmp_path / "here"))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing-here", "There is no model at"),
        ("file.txt", "is a file, not a model directory"),
        ("file.gguf", "only there as GGUF"),
        ("bad\x1b[2Jname", r"There is no model at .*bad\\x1b\[2Jname"),
        ("nul\0name", r"There is no model at .*nul\\x00name"),
        ("long" * 1000, "cannot be a model"),
    ],
)
def test_path_that_is_no_directory_says_what_it_is(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "file.gguf").touch()
    with pytest.raises(ModelError, match=said):
        locate(f"{tmp_path}/{name}")


def test_a_slip_in_the_bundled_models_name_is_noticed() -> None:
    with pytest.raises(ModelError, match="There is no model at tinny") as error:
        locate("tinny")
    assert error.value.hint.startswith("Did you mean `tiny`")


def test_unreadable_directory_is_told_from_a_missing_one(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ModelError, match="permission denied"):
        locate(str(model))


def test_directory_is_found_by_relative_path(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    assert locate("model") == model


def test_hub_id_is_looked_up_in_the_local_cache_only(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelError, match="duotune downloads nothing"):
        locate("org/coder-1b")
    repository = tmp_path / "hub" / "models--org--coder-1b"
    snapshot = Path(shutil.copytree(model, repository / "snapshots" / "abc"))
    assert locate("org/coder-1b") == snapshot
    newer = Path(shutil.copytree(model, repository / "snapshots" / "def"))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("def")
    assert locate("org/coder-1b") == newer
    (newer / "config.json").unlink()
    with pytest.raises(ModelError, match=r"no config\.json"):
        locate("org/coder-1b")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HOME": "/d"}, "/d/.cache/huggingface/hub"),
    ],
)
def test_cache_is_where_the_hub_client_has_it(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duotune.models.locate import hub_cache

    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert hub_cache() == Path(expected)


def test_tiny_names_the_bundled_model(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "bundled_tiny_model", lambda: model)
    assert locate("tiny") == model
    monkeypatch.setattr(paths, "bundled_tiny_model", lambda: tmp_path / "gone")
    with pytest.raises(ModelError, match="missing from this installation"):
        locate("tiny")


def test_fingerprint_depends_on_contents_and_not_on_place_or_other_files(model: Path, tmp_path: Path) -> None:
    first = fingerprint(model)
    elsewhere = Path(shutil.copytree(model, tmp_path / "elsewhere"))
    (elsewhere / "README.md").write_text("x")
    assert fingerprint(elsewhere) == first
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        changed = Path(shutil.copytree(model, tmp_path / f"changed-{name}"))
        content = bytearray((changed / name).read_bytes())
        content[-1] ^= 1
        (changed / name).write_bytes(content)
        assert fingerprint(changed) != first


def test_digests_are_kept_until_a_file_changes(model: Path) -> None:
    first = fingerprint(model)
    kept = sorted((paths.cache() / "digests").iterdir())
    assert len(kept) == 3
    for file in kept:
        file.write_text("0" * 64)
    assert fingerprint(model) != first
    status = (model / "config.json").stat()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        os.utime(model / name, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert fingerprint(model) == first


def test_unwritable_cache_costs_only_time(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fingerprint(model)
    (tmp_path / "file").touch()
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "file"))
    assert fingerprint(model) == first


def test_unreadable_weights_are_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=r"config\.json cannot be read: Permission denied"):
        fingerprint(model)


def test_a_fingerprint_is_known_only_while_nothing_has_changed(micro_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(micro_model, model)
    assert known_fingerprint(model) == ""
    assert fingerprint(model) == known_fingerprint(model) != ""
    (model / "config.json").write_text((model / "config.json").read_text() + " ")
    assert known_fingerprint(model) == ""
