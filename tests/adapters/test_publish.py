"""Published versions are immutable, numbered without gaps or clobbers, and survive crashes at any point."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from duotune import paths
from duotune.adapters import modes
from duotune.adapters.copies import local_copy
from duotune.adapters.manifest import damaged_files, read_manifest
from duotune.adapters.publish import publish
from duotune.adapters.verify import verify
from duotune.catalog.adapters import Adapters
from duotune.catalog.catalog import Catalog
from duotune.errors import CheckFailed, StorageError, UsageError
from duotune.models.shape import ModelShape
from support.publishing import Publisher, draft
from support.s3 import S3Server


def test_published_adapter_is_whole_and_in_the_catalog(
    publisher: Publisher, catalog: Catalog, shape: ModelShape, tmp_path: Path
) -> None:
    contract = tmp_path / "contract.json"
    contract.write_text("{}")
    done = publisher(by="ann", extras={"contract.json": contract})
    assert done.name == "demo.v1"
    assert done.local_path == paths.adapters() / "demo.v1"
    assert sorted(path.name for path in done.local_path.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "contract.json", "manifest.json",
    ]  # fmt: skip
    assert all(check.ok for check in verify(done.local_path, shape, base_fingerprint="base-a"))
    version = catalog.adapters.get("demo.v1")
    assert (version.state, version.published_by, version.run) == ("published", "ann", "run-1")
    assert [(p.name, p.commit) for p in version.projects] == [("shop", "abc")]
    assert catalog.assignments.get("shop") == ()
    assert catalog.evaluations.of("demo", 1)[0].verdict == "better"


def test_manifest_holds_no_password(publisher: Publisher) -> None:
    text = (publisher().local_path / "manifest.json").read_text()
    assert "secret" not in text
    assert "https://git.local/shop.git" in text


def test_next_content_gets_the_next_version_and_the_same_re_uses_its_own(publisher: Publisher) -> None:
    names = [(done.name, done.reused) for done in (publisher(1), publisher(2), publisher(1), publisher(2))]
    assert names == [("demo.v1", False), ("demo.v2", False), ("demo.v1", True), ("demo.v2", True)]


def test_another_base_model_is_refused_before_anything_is_written(publisher: Publisher) -> None:
    publisher()
    with pytest.raises(UsageError, match="belongs to another base model"):
        publisher(2, base="base-b")
    assert [path.name for path in paths.adapters().iterdir() if not path.name.startswith(".")] == ["demo.v1"]


def test_unfit_adapter_is_not_published(publisher: Publisher, catalog: Catalog) -> None:
    trained = publisher.adapter(1)
    (trained / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(CheckFailed, match="did not pass"):
        publish(trained, draft(), publisher.shape, catalog)
    assert catalog.adapters.versions() == []


@pytest.mark.parametrize(("system", "file", "directory"), [(False, 0o444, 0o555), (True, 0o440, 0o2550)])
def test_published_files_are_readable_by_the_server_and_writable_by_nobody(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, system: bool, file: int, directory: int
) -> None:
    if system:
        monkeypatch.setattr(paths, "SYSTEM_HOME", paths.home())
    place = publisher().local_path
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {file}
    assert stat.S_IMODE(place.stat().st_mode) == directory
    assert modes.USER_FILE == 0o444


def test_publishing_again_after_a_crash_before_the_catalog_ends_as_if_undisturbed(
    publisher: Publisher, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Adapters, version: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Adapters, "add_version", crash)
        with pytest.raises(KeyboardInterrupt):
            publisher(1)
    assert catalog.adapters.all() == []
    assert publisher(2).name == "demo.v2"  # the stored files of v1 are never clobbered
    assert publisher(1).name == "demo.v1"
    assert [path for path in paths.adapters().iterdir() if path.name.startswith((".stage", ".look"))] == []


def test_publishing_again_after_a_crash_between_s3_and_the_local_copy(
    publisher: Publisher, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duotune.storage.local import LocalStorage

    def crash(*arguments: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "put_directory", crash)
        with pytest.raises(KeyboardInterrupt):
            publisher(1, "s3://models/a")
    done = publisher(1, "s3://models/a")
    assert (done.name, done.reused, done.version.location) == ("demo.v1", True, "s3://models/a/demo.v1")
    assert damaged_files(done.local_path, done.manifest) == []


def test_s3_version_comes_back_hash_checked_when_its_local_copy_is_lost(
    publisher: Publisher, catalog: Catalog, server: S3Server
) -> None:
    done = publisher(1, "s3://models/a")
    done.local_path.rename(done.local_path.with_name("lost"))
    place = local_copy(catalog, done.version)
    assert place == done.local_path
    assert read_manifest(place) == done.manifest
    assert stat.S_IMODE((place / "adapter_model.safetensors").stat().st_mode) == 0o444


@pytest.mark.parametrize("key", ["adapter_model.safetensors", "manifest.json"])
def test_changed_object_on_s3_is_never_accepted(
    publisher: Publisher, catalog: Catalog, server: S3Server, key: str
) -> None:
    done = publisher(1, "s3://models/a")
    done.local_path.rename(done.local_path.with_name("lost"))
    body = server.client().get_object(Bucket="models", Key=f"a/demo.v1/{key}")["Body"].read()
    server.client().put_object(Bucket="models", Key=f"a/demo.v1/{key}", Body=body[:-2] + b"\n}")
    with pytest.raises(CheckFailed, match=r"damaged|not the one that was published"):
        local_copy(catalog, done.version)
    assert not done.local_path.exists()


def test_damaged_local_copy_is_found_by_its_hashes(publisher: Publisher, shape: ModelShape) -> None:
    place = publisher().local_path
    weights = place / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(data)
    problems = {check.name for check in verify(place, shape, base_fingerprint="base-b") if not check.ok}
    assert problems == {"files", "base model"}


def test_unwritable_location_leaves_the_catalog_as_it_was(publisher: Publisher, catalog: Catalog) -> None:
    blocker = publisher.folder / "file"
    blocker.write_text("")
    with pytest.raises(StorageError):
        publisher(1, str(blocker / "adapters"))
    assert catalog.adapters.versions() == []
    assert publisher(1).name == "demo.v1"


def test_two_publishers_at_once_give_two_versions(publisher: Publisher, catalog: Catalog, micro_model: Path) -> None:
    script = """
import sys
from pathlib import Path
from duotune.adapters.manifest import BaseModelRef, ManifestDraft
from duotune.adapters.publish import publish
from duotune.catalog.catalog import open_catalog
from duotune.models.shape import read_shape
base = BaseModelRef(path="/m", name="micro", fingerprint="base-a", architecture="x")
sys.stdin.readline()
with open_catalog() as catalog:
    draft, shape = ManifestDraft(name="demo", base=base), read_shape(Path(sys.argv[2]))
    print(publish(Path(sys.argv[1]), draft, shape, catalog).name)
"""
    publishers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(publisher.adapter(fill)), str(micro_model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for fill in (1, 2, 1)
    ]
    for process in publishers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    names = [process.communicate()[0].strip() for process in publishers]
    assert names[0] == names[2]
    assert {names[0], names[1]} == {"demo.v1", "demo.v2"}
    assert [version.version for version in catalog.adapters.versions("demo")] == [1, 2]
    for name in ("demo.v1", "demo.v2"):
        place = paths.adapters() / name
        assert damaged_files(place, read_manifest(place)) == []
