"""Has both sides answer all questions, batch by batch, and keeps every answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import dropwhile
from pathlib import Path

import torch

from duotune.errors import RunFailed
from duotune.evaluation.answers import AnswerFile, StoredAnswer, fingerprint_of
from duotune.evaluation.generate import Answer, answer
from duotune.evaluation.model import Side, TwoModels
from duotune.evaluation.prompts import Question
from duotune.evaluation.score import Answers
from duotune.models.prompts import PromptRenderer
from duotune.runs.reporter import Reporter, Stopped

Questions = Mapping[str, Sequence[Question]]

ADAPTER_WEIGHTS = "adapter_model.safetensors"


def adapter_digest(adapter: Path) -> str:
    """SHA-256 of an adapter's weights."""
    with (adapter / ADAPTER_WEIGHTS).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Answering:
    """The questions of one evaluation, and the models that answer them.

    Args:
        models: The two models.
        questions: By set.
        renderer: The renderer that made the prompts.
        batch_size: Prompts answered at once.
        report: Hears of progress, and may ask to stop.
    """

    def __init__(
        self, models: TwoModels, questions: Questions, renderer: PromptRenderer, batch_size: int, report: Reporter
    ) -> None:
        self._models, self._renderer, self._size, self._report = models, renderer, batch_size, report
        # The batches follow from the questions alone, and one is answered whole or not at all: a resumed evaluation
        # pads every prompt as an undisturbed one does, so that not even a near tie of two tokens comes out differently.
        self._everything = [question for asked in questions.values() for question in asked]
        self._everything.sort(key=lambda question: (question.limit, len(question.prompt), question.item.id))

    def answers(self, side: Side, directory: Path, weights: str) -> Answers:
        """All answers of one side: those on disk, and the rest.

        Args:
            side: Who answers.
            directory: Where `answers-SIDE.jsonl` is.
            weights: Fingerprint of that side's weights.

        Raises:
            Stopped: After a complete batch, when the reporter asked to stop.
            RunFailed: If a GPU's memory does not hold one prompt.
        """
        stored = AnswerFile(directory / f"answers-{side}.jsonl", self._fingerprint(weights), self._report.warning)
        total = len(self._everything)
        batches = [self._everything[first : first + self._size] for first in range(0, total, self._size)]
        left = list(dropwhile(lambda batch: all(each.item.id in stored.answers for each in batch), batches))
        done = total - sum(map(len, left))  # an earlier attempt's: how fast they are read says nothing of the others
        self._report.progress(side, done, total, "items")
        for batch in left:
            if any(question.item.id not in stored.answers for question in batch):
                if self._report.stop_requested:
                    raise Stopped
                with self._models.speaking(side):
                    stored.add(self._answer(batch))
            done += len(batch)
            self._report.progress(side, done, total, "items")
        return stored.answers

    def _fingerprint(self, weights: str) -> str:
        """Of all that an answer depends on, down to the token ids, and of how the weights were computed with."""
        asked = (f"{each.item.id} {each.prompt} {each.target} {each.limit}" for each in self._everything)
        return fingerprint_of([weights, self._models.precision, str(self._renderer.end_ids), *asked])

    def _answer(self, batch: Sequence[Question]) -> list[StoredAnswer]:
        """Answer a batch, in halves where the GPU's memory does not hold the whole."""
        try:
            found = answer(
                self._models,
                [question.prompt for question in batch],
                [question.target for question in batch],
                [question.limit for question in batch],
                self._renderer.end_ids,
            )
        except torch.cuda.OutOfMemoryError as error:
            if len(batch) == 1:
                raise RunFailed(
                    "The GPU's memory does not hold one evaluation prompt of this model.",
                    "Lower data.sequence_length, or free the GPU of other programs.",
                ) from error
        else:
            return [self._stored(question, said) for question, said in zip(batch, found, strict=True)]
        torch.cuda.empty_cache()
        self._report.warning(f"The GPU's memory was full: a batch of {len(batch)} prompts is answered in two halves.")
        half = len(batch) // 2
        return [*self._answer(batch[:half]), *self._answer(batch[half:])]

    def _stored(self, question: Question, said: Answer) -> StoredAnswer:
        tokenizer = self._renderer.tokenizer
        return StoredAnswer(
            id=question.item.id,
            text=tokenizer.decode(said.ids),
            ids=said.ids,
            stopped=said.stopped,
            has_control_token=any(map(tokenizer.is_control, said.ids)),
            gold_logprobs=said.gold_logprobs,
        )
