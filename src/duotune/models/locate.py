"""Finds the directory of a base model and gives it a fingerprint."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from duotune import paths
from duotune.config.resolve import expanded
from duotune.errors import ModelError, printable

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
CHUNK_BYTES = 8 << 20
COPY_HINT = "Copy a complete model directory to this host and name that directory in `model.path`."


def locate(path: str) -> Path:
    """Directory of the base model that `model.path` names; nothing is ever downloaded.

    Args:
        path: "tiny" for the bundled model, a directory, or a hub id that is in the local Hugging Face cache.

    Raises:
        ModelError: Nothing usable is there; each case has its own sentence.
    """
    if path == "tiny":
        directory = paths.bundled_tiny_model()
        if not (directory / "config.json").is_file():
            raise ModelError(
                "The bundled model `tiny` is missing from this installation.",
                "Install duotune again, or name another model directory in `model.path`.",
            )
        return directory
    directory = expanded(path)
    try:
        if directory.is_dir():
            _check_complete(directory)
            return directory.absolute()
        if directory.exists():
            raise _not_a_directory(directory)
    except PermissionError as error:
        raise ModelError(
            f"The model directory {printable(path)} cannot be read: permission denied.",
            "Give the account that runs duotune read access to it.",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{printable(path)} cannot be a model: {printable(error)}.",
            COPY_HINT,
        ) from error
    if HUB_ID.fullmatch(path):
        return _from_hub_cache(path)
    meant = "Did you mean `tiny`, the bundled one? " if get_close_matches(path.lower(), ["tiny"]) else ""
    raise ModelError(f"There is no model at {printable(path)}.", meant + COPY_HINT)


def hub_cache() -> Path:
    """Folder of the local Hugging Face cache, by the same environment variables that the hub's client reads."""
    if override := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(override).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "huggingface" / "hub"


def fingerprint(directory: Path, on_bytes: Callable[[int], None] = lambda count: None) -> str:
    """SHA-256 (hex) over the contents of config.json, tokenizer.json and every *.safetensors file, by name.

    The digest of each file is kept in `paths.cache()` under its real path, size and modification time, so that a
    large model is read once.

    Args:
        directory: A model.
        on_bytes: Called with the bytes of each piece that is read, or was before; what it raises ends the reading.

    Raises:
        ModelError: A file cannot be read.
    """
    names = ["config.json", "tokenizer.json", *(file.name for file in directory.glob("*.safetensors"))]
    total = hashlib.sha256()
    for name in sorted(names):
        file = directory / name
        try:
            if file.exists():
                total.update(f"{name}\0{_file_digest(file.resolve(), on_bytes)}\n".encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise ModelError(
                f"The model file {printable(file)} cannot be read: {error.strerror}.",
                "Check its permissions, and that the copy of the model is complete.",
            ) from error
    return total.hexdigest()


def known_fingerprint(directory: Path) -> str:
    """The fingerprint, if each file was hashed before and has not changed; else empty: weights take minutes to read."""
    files = [directory / "config.json", directory / "tokenizer.json", *directory.glob("*.safetensors")]
    try:
        if all(_remembered(file.resolve()) for file in files if file.exists()):
            return fingerprint(directory)
    except (OSError, ModelError):
        pass
    return ""


def _check_complete(directory: Path) -> None:
    shown = printable(directory)
    names = {entry.name for entry in directory.iterdir()}
    has_weights = any(name.endswith(".safetensors") for name in names)
    if not names:
        raise ModelError(f"The model directory {shown} is empty.", COPY_HINT)
    if "config.json" not in names:
        if "adapter_config.json" in names:
            raise ModelError(
                f"{shown} is an adapter, not a base model: it has adapter_config.json but no config.json.",
                "Name the base model's directory in `model.path`.",
            )
        if any(name.lower().endswith(".gguf") for name in names):
            raise _only_gguf(shown)
        raise ModelError(f"{shown} is not a model directory: it has no config.json.", COPY_HINT)
    if not has_weights:
        if any(name.lower().endswith(".gguf") for name in names):
            raise _only_gguf(shown)
        if any(name.endswith((".bin", ".pt", ".pth")) for name in names):
            raise ModelError(
                f"The model in {shown} has its weights only as Python pickles, which can run code when they are read.",
                "Use the same model in safetensors format.",
            )
        raise ModelError(f"The model directory {shown} has a config.json but no *.safetensors weights.", COPY_HINT)
    if "tokenizer.json" not in names:
        raise ModelError(
            f"The model directory {shown} has no tokenizer.json.",
            "Copy the tokenizer of the same model beside its weights.",
        )


def _only_gguf(shown: str) -> ModelError:
    return ModelError(
        f"The model in {shown} is only there as GGUF, which cannot be trained on.",
        "Use the same model in Hugging Face format (config.json and *.safetensors).",
    )


def _not_a_directory(file: Path) -> ModelError:
    if file.suffix.lower() == ".gguf":
        return _only_gguf(printable(file))
    return ModelError(
        f"{printable(file)} is a file, not a model directory.",
        "Name the directory that holds config.json and the *.safetensors files.",
    )


def _from_hub_cache(hub_id: str) -> Path:
    """Snapshot that the cache's `main` names, or the only one there."""
    repository = hub_cache() / f"models--{hub_id.replace('/', '--')}"
    snapshots = repository / "snapshots"
    try:
        main = repository / "refs" / "main"
        if main.is_file() and (snapshots / main.read_text().strip()).is_dir():
            found = snapshots / main.read_text().strip()
        else:
            (found,) = snapshots.iterdir()
    except (OSError, ValueError) as error:
        raise ModelError(
            f"There is no directory {hub_id}, and the local Hugging Face cache has no model of that name; "
            "duotune downloads nothing.",
            "Copy the model to this host and name its directory in `model.path`.",
        ) from error
    _check_complete(found)
    return found


def _file_digest(file: Path, on_bytes: Callable[[int], None]) -> str:
    if digest := _remembered(file):
        on_bytes(file.stat().st_size)
        return digest
    sha256 = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            sha256.update(chunk)
            on_bytes(len(chunk))
    _remember(_place_of(file), sha256.hexdigest())
    return sha256.hexdigest()


def _remembered(file: Path) -> str:
    """A file's digest, if it was hashed as it is; else empty."""
    place = _place_of(file)
    try:
        digest = place.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
    return digest if re.fullmatch(r"[0-9a-f]{64}", digest) else ""


def _place_of(file: Path) -> Path:
    """Where the digest of a file as it is now is kept."""
    status = file.stat()
    key = hashlib.sha256(f"{file}\0{status.st_size}\0{status.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    return paths.cache() / "digests" / key.hexdigest()


def _remember(file: Path, digest: str) -> None:
    """Keep a digest; a cache that cannot be written costs time, not the result."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.{os.getpid()}")
        temporary.write_text(digest)
        temporary.replace(file)
    except OSError:
        pass
