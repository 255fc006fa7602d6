"""The held-out sets of a dataset: completions and function bodies from its test files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from duotune.config.evaluation import EvaluationConfig
from duotune.config.run import DataConfig
from duotune.data.contamination import TrainingLines
from duotune.data.items import KINDS, Hole, ItemMaker, TestFile, choose, fim_holes, signature_holes
from duotune.data.selection import Selection
from duotune.models.items import HeldOutItem
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import CodeTokenizer

# More places than items, since decontamination and the length limit take some away.
_HOLES_PER_ITEM = 4
_SHARES: Mapping[str, Mapping[str, float]] = {
    "fim": {kind: KINDS.count(kind) / len(KINDS) for kind in KINDS},
    "signature": {"body": 1.0},
}


@dataclass(frozen=True)
class HeldOut:
    """Items by set, and how many places were passed over because a training file holds their lines."""

    items: Mapping[str, list[HeldOutItem]]
    contaminated: int


def hold_out(
    selection: Selection,
    tokenizer: CodeTokenizer,
    data: DataConfig,
    evaluation: EvaluationConfig,
    progress: Callable[[int, int], None],
) -> HeldOut:
    """Choose the items; a model that cannot fill in the middle gets none, since nothing could be asked of it.

    Args:
        selection: The split.
        tokenizer: Of the base model.
        data: Settings.
        evaluation: How many items, and of what length.
        progress: Told how many training files were looked at, and of how many.
    """
    if not PromptRenderer(tokenizer).supports_fim:
        return HeldOut({name: [] for name in _SHARES}, 0)
    files = _files(selection)
    wanted = {"fim": evaluation.fim_items, "signature": evaluation.signature_items}
    makers: dict[str, Iterator[Hole]] = {
        "fim": fim_holes(files, evaluation),
        "signature": signature_holes(files, evaluation),
    }
    holes = {name: list(islice(makers[name], _HOLES_PER_ITEM * count)) for name, count in wanted.items()}
    training = TrainingLines(
        [hole for of_set in holes.values() for hole in of_set],
        _training_texts(selection, progress),
    )
    maker = ItemMaker(tokenizer, data, evaluation)
    items, contaminated = {}, 0
    for name, count in wanted.items():
        items[name], passed_over = choose(iter(holes[name]), maker, count, _SHARES[name], training.clean)
        contaminated += passed_over
    return HeldOut(items, contaminated)


def _training_texts(selection: Selection, progress: Callable[[int, int], None]) -> Iterator[str]:
    positions = selection.positions["train"]
    for done, position in enumerate(positions, start=1):
        yield selection.pool.text(position)
        progress(done, len(positions))


def _files(selection: Selection) -> list[TestFile]:
    files = []
    for position in selection.positions["test"]:
        pooled = selection.pool.files[position]
        files.append(
            TestFile(
                project=pooled.project,
                path=pooled.file.path,
                language=pooled.file.language,
                cluster=selection.assignments[position].cluster,
                content=pooled.file.content,
                read=partial(selection.pool.text, position),
            )
        )
    return files
