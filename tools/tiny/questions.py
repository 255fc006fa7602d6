"""The held-out middles that figures are measured on."""

from dataclasses import dataclass

import numpy as np

from tools.tiny.cuts import cut_line
from tools.tiny.documents import Documents
from tools.tiny.settings import SEED

BEFORE_TOKENS = 384
AFTER_TOKENS = 128
LONGEST_MIDDLE = 48
NEW_TOKENS = 64


@dataclass(frozen=True)
class Question:
    """One middle to fill in.

    Attributes:
        before: Token ids of the prefix, its last ones.
        after: Token ids of the suffix, its first ones.
        middle: Token ids of the middle.
        text: The middle as text.
    """

    before: list[int]
    after: list[int]
    middle: list[int]
    text: str

    def prompt(self, documents: Documents) -> list[int]:
        """The fill-in-the-middle prompt in prefix-suffix-middle order."""
        return [documents.prefix, *self.before, documents.suffix, *self.after, documents.middle]


def draw_questions(documents: Documents, kind: str, count: int) -> list[Question]:
    """Draw questions from held-out files, each file as likely as its length in tokens.

    Args:
        documents: The held-out files.
        kind: What a middle is, see :func:`tools.tiny.cuts.cut_line`.
        count: How many.
    """
    rng = np.random.default_rng((SEED, len(kind), ord(kind[0])))
    sizes = np.array([len(text) for text in documents.texts], dtype=np.float64)
    found: list[Question] = []
    while len(found) < count:
        text = documents.texts[int(rng.choice(len(sizes), p=sizes / sizes.sum()))]
        cut = cut_line(text, rng, kind=kind)
        if cut is None:
            continue
        pieces = [text[max(0, cut.start - 4000) : cut.start], text[cut.start : cut.end], text[cut.end :][:1500]]
        before, middle, after = (e.ids for e in documents.tokenizer.encode_batch_fast(pieces, add_special_tokens=False))
        if len(before) >= 4 and len(middle) <= LONGEST_MIDDLE:
            found.append(Question(before[-BEFORE_TOKENS:], after[:AFTER_TOKENS], middle, pieces[1]))
    return found
