"""Exporting: a proven copy that is there whole or not at all."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from duotune import paths
from duotune.adapters import target
from duotune.adapters.export import export, released
from duotune.adapters.manifest import damaged_files, read_manifest
from duotune.adapters.publish import PublishedAdapter
from duotune.catalog.catalog import Catalog
from duotune.errors import CheckFailed, StorageError, UsageError
from duotune.sizes import in_bytes
from duotune.storage.local import delete_tree
from support.disks import small_disk_at
from support.publishing import Publisher
from support.s3 import S3Server

DYING_EXPORT = """
import os, signal, sys
from duotune.adapters.export import export
from duotune.catalog.catalog import open_catalog
with open_catalog() as catalog:
    version = catalog.adapters.get(sys.argv[1])
export(version, sys.argv[2], lambda done, total: os.kill(os.getpid(), signal.SIGKILL))
"""


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def spoil(done: PublishedAdapter) -> None:
    weights = done.local_path / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 0xFF
    weights.chmod(0o600)
    weights.write_bytes(content)


def test_every_published_file_arrives_as_it_is_with_bytes_and_place_told(publisher: Publisher, tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# demo\n")
    done = publisher(extras={"README.md": card})
    told: list[tuple[int, int]] = []
    result = export(done.version, tmp_path / "far" / "out", lambda *now: told.append(now))
    assert contents(result.directory) == contents(done.local_path)
    assert result.directory == tmp_path / "far" / "out"
    assert result.bytes == sum(map(len, contents(done.local_path).values())) == told[-1][0] == told[-1][1]
    assert "README.md" in result.files
    assert not damaged_files(result.directory, read_manifest(result.directory))
    assert os.access(result.directory / "README.md", os.W_OK)
    assert (result.directory / "README.md").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in result.directory.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("umask", "file", "directory"), [("077", 0o600, 0o2700), ("022", 0o644, 0o2755), ("002", 0o664, 0o2775)]
)
def test_a_copy_has_the_modes_that_its_owners_umask_leaves(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: str, file: int, directory: int
) -> None:
    version = publisher().version
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o2775)
    monkeypatch.setenv("DUOTUNE_UMASK", umask)
    copy = export(version, tmp_path / "shared" / "out").directory
    assert {stat.S_IMODE(one.stat().st_mode) for one in copy.iterdir()} == {file}
    assert stat.S_IMODE(copy.stat().st_mode) == directory


def test_a_version_on_s3_without_a_copy_here_is_exported_and_no_copy_is_kept(
    publisher: Publisher, server: S3Server, tmp_path: Path
) -> None:
    done = publisher(location="s3://models/a")
    before = contents(done.local_path)
    delete_tree(done.local_path)
    server.client().put_object(Bucket="models", Key="a/demo.v1/stray.bin", Body=b"?")
    result = export(done.version, tmp_path / "out")
    assert contents(tmp_path / "out") == before
    assert (result.source, result.left_out) == ("s3://models/a/demo.v1", ("stray.bin",))
    assert not (paths.adapters() / "demo.v1").exists()


@pytest.mark.parametrize("there", ["file", "full directory", "link"])
def test_what_is_there_is_never_touched(publisher: Publisher, tmp_path: Path, there: str) -> None:
    out = tmp_path / "out"
    if there == "file":
        out.write_text("mine")
    elif there == "link":
        out.symlink_to(tmp_path / "nowhere")
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export(publisher().version, out)
    assert out.is_symlink() or (out / "mine" if out.is_dir() else out).read_text() == "mine"


def test_an_empty_directory_is_filled_and_duotunes_own_is_not(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    version = publisher().version
    assert len(export(version, tmp_path / "out").files) == 3
    with pytest.raises(UsageError, match="among duotune's own files"):
        export(version, paths.adapters() / "demo.v2")
    elsewhere = publisher(2, location=str(tmp_path / "shelf")).version
    with pytest.raises(UsageError, match="is where adapters are published"):
        export(elsewhere, tmp_path / "shelf" / "demo.v3")


def test_a_damaged_version_leaves_nothing(publisher: Publisher, tmp_path: Path) -> None:
    done = publisher()
    spoil(done)
    with pytest.raises(CheckFailed, match=r"adapter_model\.safetensors is not as it was published"):
        export(done.version, tmp_path / "place" / "out")
    assert not list((tmp_path / "place").iterdir())


def test_a_name_means_the_current_version_and_what_is_withheld_is_not_given_away(
    publisher: Publisher, catalog: Catalog
) -> None:
    publisher(1)
    publisher(2, verdict="harmful")
    assert released(catalog, "demo").name == "demo.v1"
    with pytest.raises(UsageError, match=r"demo\.v2 is withheld") as refusal:
        released(catalog, "demo.v2")
    assert "duotune adapters publish demo.v2" in refusal.value.hint


def test_a_killed_export_leaves_a_draft_that_says_so_and_the_next_one_clears_it(
    publisher: Publisher, tmp_path: Path
) -> None:
    version = publisher().version
    out = tmp_path / "place" / "out"
    command = [sys.executable, "-c", DYING_EXPORT, version.name, str(out)]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert [path.name for path in out.parent.iterdir()] == [".out.duotune-draft"]
    export(version, out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_two_processes_never_write_to_one_target(publisher: Publisher, tmp_path: Path) -> None:
    version = publisher().version
    with target.drafting(tmp_path / "out"), pytest.raises(UsageError, match="Another process is writing"):
        export(version, tmp_path / "out")
    export(version, tmp_path / "out")


@pytest.mark.parametrize("where", ["here", "folder", "s3"])
def test_what_cannot_fit_is_told_before_anything_is_copied(
    publisher: Publisher, server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    location = {"here": "", "folder": str(tmp_path / "shelf"), "s3": "s3://models/a"}[where]
    done = publisher(location=location)
    size = sum(map(len, contents(done.local_path).values()))
    if where == "s3":
        delete_tree(done.local_path)
    told: list[int] = []
    monkeypatch.setattr(target, "free_bytes", lambda directory: size)
    with pytest.raises(StorageError, match=f"it takes {in_bytes(size)} and a margin, and {in_bytes(size)} are free"):
        export(done.version, tmp_path / "out", lambda done, total: told.append(done))
    assert not told
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(target, "free_bytes", lambda directory: size + target.LEAST_MARGIN_BYTES)
    assert export(done.version, tmp_path / "out").bytes == size


def test_a_disk_that_fills_meanwhile_is_told_and_nothing_is_left(publisher: Publisher, tmp_path: Path) -> None:
    version = publisher().version
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # refused as on a full disk
    try:
        with pytest.raises(StorageError, match=r"No space is left for .*/out"):
            export(version, tmp_path / "place" / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "place").iterdir())


def test_a_full_disk_is_told_before_or_when_it_shows_and_nothing_is_left(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publisher().version
    with small_disk_at(tmp_path / "disk") as disk:
        (disk / "ballast").write_bytes(b"x" * (1 << 19))
        with pytest.raises(StorageError, match=r"There is no room for .*: it takes [\d.]+ kB and a margin, and \d+ kB"):
            export(version, disk / "out")
        monkeypatch.setattr(target, "free_bytes", lambda directory: 10**12)  # as others fill it meanwhile
        (disk / "ballast").write_bytes(b"x" * (1 << 20))
        with pytest.raises(StorageError, match=r"No space is left for .*/out"):
            export(version, disk / "out")
        assert [path.name for path in disk.iterdir()] == ["ballast"]
