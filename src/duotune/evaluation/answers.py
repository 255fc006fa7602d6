"""Answers on disk, a batch at a time, so that an interrupted evaluation goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import ValidationError

from duotune.evaluation.results import Stored


class StoredAnswer(Stored):
    """One answer of one side.

    Attributes:
        id: The item's.
        text: The answer without control tokens.
        ids: Its token ids, without the end token.
        stopped: Whether it ended by itself.
        has_control_token: Whether it holds a control token.
        gold_logprobs: Log-probability of each token of the gold answer with its end, in nats.
    """

    id: str
    text: str
    ids: list[int]
    stopped: bool
    has_control_token: bool
    gold_logprobs: list[float]

    @property
    def gold_loss(self) -> float:
        """Mean nats per token of the gold answer with its end."""
        return -sum(self.gold_logprobs) / len(self.gold_logprobs)


class Asked(Stored):
    """The first line of the file: what was asked, and of which weights.

    Attributes:
        fingerprint: See `fingerprint_of`.
    """

    fingerprint: str


def fingerprint_of(parts: Iterable[str]) -> str:
    """SHA-256 of texts, none of which can run into the next."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part.encode()).digest())
    return total.hexdigest()


class AnswerFile:
    """The answers of one side, one JSON line each, under a line that says what they answer.

    Args:
        file: Where they are kept.
        fingerprint: Of the questions and the weights; answers to others are thrown away.
        warn: Hears of that.
    """

    def __init__(self, file: Path, fingerprint: str, warn: Callable[[str], None]) -> None:
        self._file = file
        self.answers: dict[str, StoredAnswer] = {}
        content = file.read_bytes() if file.exists() else b""
        complete = content[: content.rfind(b"\n") + 1]
        head, _, lines = complete.partition(b"\n")
        asked = Asked(fingerprint=fingerprint).model_dump_json().encode()
        if head != asked:
            if complete:
                warn(f"{file.name} answers other questions, or is of other weights: all of them are answered anew.")
            self._begin(asked)
            return
        for line in lines.split(b"\n"):
            try:
                stored = StoredAnswer.model_validate_json(line)
            except ValidationError:
                continue  # torn by a crash, or by one before it: the item is answered again
            self.answers[stored.id] = stored
        if complete != content:
            with file.open("r+b") as stream:
                stream.truncate(len(complete))

    def _begin(self, head: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("wb") as stream:
            stream.write(head + b"\n")

    def add(self, batch: Iterable[StoredAnswer]) -> None:
        """Keep a batch, on disk when this returns."""
        found = list(batch)
        with self._file.open("ab") as stream:
            stream.write(b"".join(answer.model_dump_json().encode() + b"\n" for answer in found))
            stream.flush()
            os.fsync(stream.fileno())
        self.answers.update((answer.id, answer) for answer in found)
