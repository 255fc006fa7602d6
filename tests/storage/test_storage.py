"""Both kinds of storage keep the same promise: a directory is there completely or not at all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from duotune.errors import StorageError, UsageError
from duotune.storage.local import LocalStorage
from duotune.storage.locations import Storage, open_storage
from support.s3 import S3Server, refusing_server, set_keys

MIB = 1 << 20


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(str(tmp_path / "store" / "adapters"))
    request.getfixturevalue("server")
    return open_storage("s3://models/some/prefix/")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    (directory / "train").mkdir(parents=True)
    (directory / "manifest.json").write_text('{"version": 1}')
    (directory / "weights.bin").write_bytes(os.urandom(3 * MIB))
    (directory / "train" / "data.arrow").write_bytes(b"rows")
    return directory


@pytest.mark.parametrize("location", ["s3:/bad", "s3:bad", "s3://", "S3://bucket"])
def test_what_was_meant_for_s3_is_no_folder(location: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_storage(location)
    assert "s3://BUCKET/PREFIX" in caught.value.hint


def ignore(done: int, total: int) -> None:
    """Nobody looks."""


def content(directory: Path) -> dict[str, bytes]:
    return {str(f.relative_to(directory)): f.read_bytes() for f in directory.rglob("*") if f.is_file()}


def test_directory_comes_back_equal(storage: Storage, source: Path, tmp_path: Path) -> None:
    storage.check_writable()
    location = storage.put_directory(source, "demo.v1", ignore)
    assert location == f"{storage.location}/demo.v1"
    copied = storage.get_directory("demo.v1", tmp_path / "copies" / "demo.v1", ignore)
    assert content(copied) == content(source)
    assert storage.names() == ["demo.v1"]
    assert storage.exists("demo.v1")
    assert not storage.exists("demo")


def test_bytes_are_counted_up_to_their_sum(storage: Storage, source: Path, tmp_path: Path) -> None:
    total = sum(len(data) for data in content(source).values())
    for move in (
        lambda seen: storage.put_directory(source, "d", lambda *bytes: seen.append(bytes)),
        lambda seen: storage.get_directory("d", tmp_path / "d", lambda *bytes: seen.append(bytes)),
    ):
        seen: list[tuple[int, int]] = []
        move(seen)
        assert seen[-1] == (total, total)
        assert seen == sorted(seen)


def test_nothing_is_ever_overwritten(storage: Storage, source: Path, tmp_path: Path) -> None:
    storage.put_directory(source, "demo.v1", ignore)
    before = storage.get_directory("demo.v1", tmp_path / "before", ignore)
    (source / "weights.bin").write_bytes(b"other")
    with pytest.raises(StorageError, match="is there already"):
        storage.put_directory(source, "demo.v1", ignore)
    assert content(storage.get_directory("demo.v1", tmp_path / "after", ignore)) == content(before)


def test_removed_directory_is_gone_and_its_name_free(storage: Storage, source: Path) -> None:
    storage.put_directory(source, "demo.v1", ignore)
    storage.remove("demo.v1")
    assert not storage.exists("demo.v1")
    assert storage.names() == []
    storage.remove("demo.v1")
    storage.put_directory(source, "demo.v1", ignore)


def test_incomplete_directory_is_not_stored(storage: Storage, source: Path) -> None:
    (source / "manifest.json").unlink()
    with pytest.raises(StorageError, match="not complete"):
        storage.put_directory(source, "demo.v1", ignore)


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "a\nb"])
def test_names_that_could_leave_the_location_are_refused(storage: Storage, source: Path, name: str) -> None:
    with pytest.raises(StorageError, match="Nothing can be stored under"):
        storage.put_directory(source, name, ignore)


def test_missing_directory_is_named(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no 'demo\.v9'"):
        storage.get_directory("demo.v9", tmp_path / "x", ignore)


def test_link_out_of_the_directory_is_not_followed(storage: Storage, source: Path) -> None:
    (source / "link").symlink_to("/etc/passwd")
    with pytest.raises(StorageError, match="neither a file nor a directory"):
        storage.put_directory(source, "demo.v1", ignore)


def test_failure_half_way_leaves_no_local_remains(storage: Storage, source: Path, tmp_path: Path) -> None:
    class Interrupted(Exception):
        """A stop that was asked for."""

    def fail(done: int, total: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        storage.put_directory(source, "demo.v1", fail)
    assert storage.names() == []
    storage.put_directory(source, "demo.v1", ignore)
    with pytest.raises(Interrupted):
        storage.get_directory("demo.v1", tmp_path / "copies" / "demo.v1", fail)
    assert list((tmp_path / "copies").iterdir()) == []


def test_s3_server_that_dies_half_way_leaves_nothing_that_looks_complete(
    server: S3Server, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage("s3://models/adapters")

    def die(done: int, total: int) -> None:
        server.stop()

    with pytest.raises(StorageError, match="does not answer"):
        storage.put_directory(source, "demo.v1", die)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    again = open_storage("s3://models/adapters")
    keys = [o["Key"] for o in server.client().list_objects_v2(Bucket="models").get("Contents", [])]
    assert keys  # something was written ...
    assert not again.exists("demo.v1")  # ... but nobody takes it for a whole directory
    assert again.names() == []
    again.put_directory(source, "demo.v1", ignore)
    assert again.names() == ["demo.v1"]


def test_upload_whose_interruption_is_swallowed_by_a_thread_is_noticed(server: S3Server, source: Path) -> None:
    storage = open_storage("s3://models")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt  # s3transfer lets this one pass as if the upload had ended well

    with pytest.raises(StorageError, match="did not arrive whole"):
        storage.put_directory(source, "demo.v1", interrupt)
    assert not storage.exists("demo.v1")


def test_two_hosts_that_publish_one_name_to_s3_do_not_mix(server: S3Server, source: Path) -> None:
    storage = open_storage("s3://models")

    def other_host(done: int, total: int) -> None:
        if not server.client().list_objects_v2(Bucket="models", Prefix="demo.v1/manifest").get("Contents"):
            server.client().put_object(Bucket="models", Key="demo.v1/manifest.json", Body=b"theirs")

    with pytest.raises(StorageError, match="is there already"):
        storage.put_directory(source, "demo.v1", other_host)
    assert server.client().get_object(Bucket="models", Key="demo.v1/manifest.json")["Body"].read() == b"theirs"


def test_large_files_go_up_and_come_down_in_parts(server: S3Server, source: Path, tmp_path: Path) -> None:
    (source / "weights.bin").write_bytes(os.urandom(33 * MIB))
    storage = open_storage("s3://models/big")
    storage.put_directory(source, "demo.v1", ignore)
    head = server.client().head_object(Bucket="models", Key="big/demo.v1/weights.bin")
    assert head["ETag"].strip('"').endswith("-3")
    copied = storage.get_directory("demo.v1", tmp_path / "copy", ignore)
    assert (copied / "weights.bin").read_bytes() == (source / "weights.bin").read_bytes()


def test_object_names_cannot_lead_out_of_the_copy(server: S3Server, source: Path, tmp_path: Path) -> None:
    storage = open_storage("s3://models")
    storage.put_directory(source, "demo.v1", ignore)
    server.client().put_object(Bucket="models", Key="demo.v1/../../evil", Body=b"x")
    with pytest.raises(StorageError, match="unsafe name"):
        storage.get_directory("demo.v1", tmp_path / "a" / "copy", ignore)
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.usefixtures("server")
def test_missing_bucket_is_a_sentence() -> None:
    with pytest.raises(StorageError, match="no S3 bucket 'nowhere'"):
        open_storage("s3://nowhere/x").check_writable()


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (403, "AccessDenied", "denies access"),
        (403, "InvalidAccessKeyId", "does not accept the keys"),
        (403, "SignatureDoesNotMatch", "does not accept the keys"),
        (507, "XMinioStorageFull", "no space left"),
        (400, "Strange", "refused s3://models/x: Strange"),
    ],
)
def test_each_refusal_of_s3_has_its_sentence(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, sentence: str
) -> None:
    set_keys(monkeypatch)
    with refusing_server(status, code) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(StorageError, match=sentence):
            open_storage("s3://models/x").check_writable()


def test_unreachable_endpoint_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)
    with refusing_server(500, "") as url:
        pass  # its port is now closed
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(StorageError, match="does not answer"):
        open_storage("s3://models").check_writable()


def test_missing_keys_and_missing_profile_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="no S3 credentials"):
        open_storage("s3://models").check_writable()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StorageError, match="nobody"):
        open_storage("s3://models").check_writable()


@pytest.mark.parametrize("location", ["s3://", "s3:///x", "ftp://x", ""])
def test_what_is_no_location_is_refused(location: str) -> None:
    with pytest.raises(UsageError):
        open_storage(location)


def test_probing_a_folder_that_is_not_there_yet_does_not_make_it(tmp_path: Path) -> None:
    LocalStorage(tmp_path / "a" / "b").check_writable()
    assert list(tmp_path.iterdir()) == []


def test_folder_below_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="is a file"):
        LocalStorage(tmp_path / "file" / "x").check_writable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_of_another_owner_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="may not write"):
        LocalStorage(tmp_path / "x").check_writable()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
@pytest.mark.parametrize(("option", "sentence"), [("size=64k", "No space is left"), ("ro", "read-only")])
def test_full_and_read_only_disks_are_sentences(tmp_path: Path, source: Path, option: str, sentence: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    try:
        with pytest.raises(StorageError, match=sentence):
            LocalStorage(disk).put_directory(source, "demo.v1", ignore)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
