"""Storage under a prefix of an S3 bucket: objects first, the marker last.

Endpoint, region and keys come from where boto3 finds them (environment, profile, credentials file), not from a config.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from duotune.errors import StorageError, UsageError, printable
from duotune.storage.local import delete_tree, missing, settle
from duotune.storage.locations import MARKER, OnBytes, checked_name, files_of
from duotune.storage.s3_errors import translated

CONNECT_SECONDS = 10
READ_SECONDS = 60
PART_BYTES = 16 << 20
THREADS = 8
NOT_THERE = ("404", "NoSuchKey", "NotFound")
NO_CONDITIONS = ("NotImplemented", "501", "InvalidArgument", "InvalidRequest")


@dataclass(frozen=True)
class S3Storage:
    """A prefix in a bucket.

    Attributes:
        bucket: Its name.
        prefix: Empty, or a path that ends with a slash.
    """

    bucket: str
    prefix: str

    @classmethod
    def at(cls, location: str) -> S3Storage:
        """The storage at s3://bucket/prefix.

        Raises:
            UsageError: There is no bucket in it.
        """
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        if not bucket:
            raise UsageError(f"{printable(location)!r} names no bucket.", "Write s3://BUCKET/PREFIX.")
        prefix = prefix.strip("/")
        return cls(bucket, f"{prefix}/" if prefix else "")

    @property
    def location(self) -> str:
        """As it is configured."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def check_writable(self) -> None:
        """Write a small object and delete it."""
        key = f"{self.prefix}.duotune-probe-{uuid.uuid4().hex}"
        with self._readable_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=b"duotune")
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def put_directory(self, source: Path, name: str, on_bytes: OnBytes) -> str:
        """Upload all files, the marker last and only if nobody else has set it; see `Storage.put_directory`."""
        if self.exists(name):
            raise self._taken(name)
        *files, _ = files_of(source)
        total = sum((source / file).stat().st_size for file in [*files, Path(MARKER)])
        meter = _Meter(total, on_bytes)
        with self._readable_errors():
            for file in files:
                with (source / file).open("rb") as stream:
                    self._client.upload_fileobj(
                        stream, self.bucket, self._key(name, file), Config=_transfer(), Callback=meter.add
                    )
            self._check_arrived(source, name, files)
            self._set_marker(name, (source / MARKER).read_bytes())
        meter.finish()
        return f"{self.location}/{name}"

    def get_directory(self, name: str, target: Path, on_bytes: OnBytes) -> Path:
        """Download to a hidden directory beside the target, then rename; see `Storage.get_directory`."""
        if not self.exists(name):
            raise missing(self.location, name)
        draft = target.with_name(f".{target.name}.part-{uuid.uuid4().hex}")
        with self._readable_errors():
            objects = dict(self._objects(f"{self.prefix}{name}/"))
            meter = _Meter(sum(objects.values()), on_bytes)
            draft.mkdir(parents=True)
            try:
                for key in objects:
                    file = draft / _relative(key.removeprefix(f"{self.prefix}{name}/"))
                    file.parent.mkdir(parents=True, exist_ok=True)
                    self._client.download_file(self.bucket, key, str(file), Config=_transfer(), Callback=meter.add)
                settle(draft, target)
            except BaseException:
                delete_tree(draft)
                raise
        meter.finish()
        return target

    def exists(self, name: str) -> bool:
        """Whether the marker is there."""
        from botocore.exceptions import ClientError

        with self._readable_errors():
            try:
                self._client.head_object(Bucket=self.bucket, Key=self._key(checked_name(name), Path(MARKER)))
            except ClientError as error:
                if _code(error) not in NOT_THERE:
                    raise
                return False
        return True

    def size_of(self, name: str) -> int:
        """Bytes of its objects."""
        with self._readable_errors():
            return sum(size for _, size in self._objects(f"{self.prefix}{checked_name(name)}/"))

    def names(self) -> list[str]:
        """All names with a marker."""
        with self._readable_errors():
            keys = [key.removeprefix(self.prefix) for key, _ in self._objects(self.prefix)]
        return sorted(parts[0] for key in keys if (parts := key.split("/"))[1:] == [MARKER])

    def remove(self, name: str) -> None:
        """Delete the marker, then the other objects."""
        prefix = f"{self.prefix}{checked_name(name)}/"
        with self._readable_errors():
            keys = [key for key, _ in self._objects(prefix)]
            for key in sorted(keys, key=lambda key: key != prefix + MARKER):
                self._client.delete_object(Bucket=self.bucket, Key=key)

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        # many servers have no host name per bucket and do not know the newer checksums; AWS serves both ways, and
        # manifests carry hashes of their own
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return boto3.session.Session().client("s3", config=config)

    def _key(self, name: str, file: Path) -> str:
        return f"{self.prefix}{checked_name(name)}/{file.as_posix()}"

    def _objects(self, prefix: str) -> Iterator[tuple[str, int]]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]

    def _check_arrived(self, source: Path, name: str, files: list[Path]) -> None:
        """Compare sizes before the marker says that all is there: transfer threads can swallow an interruption."""
        there = dict(self._objects(f"{self.prefix}{name}/"))
        for file in files:
            if there.get(self._key(name, file)) != (source / file).stat().st_size:
                raise StorageError(
                    f"{printable(file)} did not arrive whole at {printable(self.location)}.", "Try again."
                )

    def _set_marker(self, name: str, body: bytes) -> None:
        """Write the marker unless another host was faster; servers without conditional writes just write it."""
        from botocore.exceptions import ClientError

        key = self._key(name, Path(MARKER))
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in ("PreconditionFailed", "412", "ConditionalRequestConflict"):
                raise self._taken(name) from error
            if _code(error) not in NO_CONDITIONS:
                raise
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def _taken(self, name: str) -> StorageError:
        return StorageError(
            f"{printable(self.location)}/{name} is there already.",
            "What is stored is never overwritten; publish again to get the next version.",
        )

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        with translated(self.bucket, self.location):
            yield


class _Meter:
    """Adds up what the transfer threads report."""

    def __init__(self, total: int, on_bytes: OnBytes) -> None:
        self._total, self._on_bytes, self._done = total, on_bytes, 0

    def add(self, count: int) -> None:
        self._done = min(self._done + count, self._total)
        self._on_bytes(self._done, self._total)

    def finish(self) -> None:
        self._on_bytes(self._total, self._total)


def _transfer() -> Any:
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=2 * PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=THREADS)


def _relative(key: str) -> Path:
    """An object's path below its directory; whoever can write to the bucket must not write elsewhere on this disk."""
    path = PurePosixPath(key)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in key:
        raise StorageError(f"The object {printable(key)!r} has an unsafe name.", "Remove it from the bucket.")
    return Path(path)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
