"""What became of the files of a dataset: how many are left after each step of preparation, and why the others are not.

Lives beside the results of the stages, so that every front end can read it without the data room.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

UNKNOWN = "unknown"
"""The language of files whose language is not known."""
FUNNEL_WORDS = {
    "listed": "in the projects",
    "readable": "worth reading",
    "accepted": "code to learn from",
    "distinct": "not a duplicate",
    "train": "  to train on",
    "validation": "  to watch the loss with",
    "test": "  to test on",
}
"""The stages of a funnel in words; what one is split into is indented."""
TOKENS = "Tokens: of the examples made of the files, without padding."


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Amount(_Figures):
    """So much of something.

    Attributes:
        files: Files.
        bytes: Their bytes, as far as they are known.
        tokens: Tokens of the examples made of them; None where no examples are made, as of what is left out.
        directories: Directories that were left out whole; nobody has counted their files.
    """

    files: int = 0
    bytes: int = 0
    tokens: int | None = 0
    directories: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            files=self.files + other.files,
            bytes=self.bytes + other.bytes,
            tokens=None if self.tokens is None or other.tokens is None else self.tokens + other.tokens,
            directories=self.directories + other.directories,
        )


class Share(_Figures):
    """What of a project or of a language is kept, and what is left out."""

    kept: Amount = Amount()
    left_out: Amount = Amount()


class Funnel(_Figures):
    """The whole way.

    Attributes:
        stages: What is there at the beginning (`listed`), what is left after names and sizes were looked at
            (`readable`), contents (`accepted`) and duplicates (`distinct`), and what of that went to `train`,
            `validation` and `test`; in this order, with tokens from `distinct` on.
        reasons: What is left out for each reason code, most files first.
        projects: In the configured order.
        languages: Most kept bytes first; `unknown` where none is known.
        leaked: Kept files that repeat one held out further from training, measured after the split; 0.
        leaks_dropped: Files that the measuring found and took out.
        contaminated_items: Held-out places passed over because their lines occur in a training file.
    """

    stages: dict[str, Amount]
    reasons: dict[str, Amount]
    projects: dict[str, Share]
    languages: dict[str, Share]
    leaked: int
    leaks_dropped: int
    contaminated_items: int
