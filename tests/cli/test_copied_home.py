"""A home that was copied or moved reads its own adapters, not those of the home that it came from."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from duotune import paths
from duotune.catalog.catalog import open_catalog
from duotune.cli.main import run
from support.s3 import S3Server
from support.serving import publish_adapter
from support.serving_home import ServingHome


@pytest.fixture
def copied(
    home: ServingHome,
    micro_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A copy of a home with `demo.v1`, which is used from now on; the adapter of the first home is damaged."""
    with open_catalog() as catalog:
        first = publish_adapter(catalog, micro_model, tmp_path).local_path
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(paths.home(), copy)
    weights = first / "adapter_model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(b"damaged")
    monkeypatch.setenv("DUOTUNE_HOME", str(copy))
    return copy


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    capsys.readouterr()
    run([*arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_copied_home_lists_verifies_and_serves_its_own_adapters(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = str(copied / "adapters" / "demo.v1")
    listed = answer(capsys, "adapters", "list")
    assert isinstance(listed, list)
    assert [one["location"] for one in listed] == [own]
    checks = answer(capsys, "adapters", "verify", "demo")
    assert isinstance(checks, list)
    assert [one["name"] for one in checks if not one["ok"]] == []
    planned = answer(capsys, "serve", "plan")
    assert own in json.dumps(planned)
    assert str(copied.parent.parent / "home") not in json.dumps(planned)


def test_what_a_copied_home_removes_is_its_own(copied: Path, tmp_path: Path) -> None:
    assert run(["adapters", "remove", "demo.v1", "--yes"]) == 0
    assert not (copied / "adapters" / "demo.v1").exists()
    assert (tmp_path / "home" / "adapters" / "demo.v1").exists()


def test_a_home_that_an_older_version_copied_takes_over_what_it_holds(copied: Path, tmp_path: Path) -> None:
    first = str(tmp_path / "home" / "adapters" / "demo.v1")
    raw = sqlite3.connect(copied / "catalog.sqlite")
    raw.execute("UPDATE versions SET location = ?1, local_path = ?1", (first,))
    raw.execute("PRAGMA user_version = 3")
    raw.commit()
    raw.close()
    with open_catalog() as catalog:
        found = catalog.adapters.get("demo")
    assert (found.location, found.local_path) == (str(copied / "adapters" / "demo.v1"),) * 2


def test_an_older_copy_of_a_home_removes_its_own_copy_of_what_is_on_s3(
    copied: Path, tmp_path: Path, server: S3Server
) -> None:
    first = tmp_path / "home" / "adapters" / "demo.v1"
    raw = sqlite3.connect(copied / "catalog.sqlite")
    raw.execute("UPDATE versions SET location = 's3://models/demo.v1', local_path = ?", (str(first),))
    raw.execute("PRAGMA user_version = 3")
    raw.commit()
    raw.close()
    with open_catalog() as catalog:
        found = catalog.adapters.get("demo")
    assert (found.location, found.local_path) == ("s3://models/demo.v1", str(copied / "adapters" / "demo.v1"))
    assert run(["adapters", "remove", "demo.v1", "--yes"]) == 0
    assert not (copied / "adapters" / "demo.v1").exists()
    assert first.exists()


def test_a_home_is_the_same_by_whatever_link_it_is_reached(
    home: ServingHome,
    micro_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_catalog() as catalog:
        publish_adapter(catalog, micro_model, tmp_path)
    by_name = answer(capsys, "serve", "plan")
    (tmp_path / "link").symlink_to(paths.home())
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "link"))
    assert answer(capsys, "serve", "plan") == by_name


def test_a_home_whose_path_is_no_text_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUOTUNE_HOME", os.fsdecode(os.fsencode(tmp_path) + b"/h\xff"))
    assert run(["adapters", "list"]) == 0
    assert run(["adapters", "list"]) == 0


def test_a_place_outside_the_home_stays_where_it_is(micro_model: Path, tmp_path: Path) -> None:
    with open_catalog() as catalog:
        done = publish_adapter(catalog, micro_model, tmp_path)
        outside = tmp_path / "outside" / done.name
        shutil.copytree(done.local_path, outside)
        catalog.adapters.set_local_path("demo", 1, str(outside))
        assert catalog.adapters.get("demo").local_path == str(outside)


def test_places_of_an_older_catalog_become_those_of_its_home(tmp_path: Path) -> None:
    file = tmp_path / "catalog.sqlite"
    open_catalog(file).close()
    raw = sqlite3.connect(file)
    raw.execute("INSERT INTO adapters VALUES ('demo', 'base', 'micro', 0)")
    places = (str(tmp_path / "adapters/demo.v1"), "s3://bucket/demo.v2", str(tmp_path) + "-other/demo.v3", "")
    for number, place in enumerate(places, 1):
        raw.execute(
            "INSERT INTO versions VALUES ('demo', ?, ?, ?, ?, '', '', '', 'published', 0, '', '', 0)",
            (number, str(number), place, place),
        )
    raw.execute("PRAGMA user_version = 3")
    raw.commit()
    raw.close()
    with open_catalog(file) as catalog:
        assert tuple(version.location for version in catalog.adapters.versions()) == places
        assert tuple(version.local_path for version in catalog.adapters.versions()) == places
    moved = tmp_path / "moved"
    moved.mkdir()
    file.rename(moved / "catalog.sqlite")
    with open_catalog(moved / "catalog.sqlite") as catalog:
        found = [version.location for version in catalog.adapters.versions()]
    assert found == [str(moved / "adapters/demo.v1"), *places[1:]]
