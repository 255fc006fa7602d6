"""Files as the split sees them."""

from __future__ import annotations

from collections import Counter

from duotune.data.content import content_hash
from duotune.data.similarity import shingles, signatures
from duotune.data.split import Assignment, Candidate, Division


def candidate(
    text: str, project: str = "a", language: str = "Python", kept: bool = True, late: bool = False
) -> Candidate:
    """One file."""
    return Candidate(project, language, content_hash(text), signatures([shingles(text)])[0], kept, late)


def distinct(count: int, project: str = "a", language: str = "Python", late: bool = False) -> list[Candidate]:
    """So many files that have nothing in common."""
    return [candidate(f"{project} {language} {number}", project, language, late=late) for number in range(count)]


def words(start: int, count: int = 300) -> str:
    """A text; two of them whose starts lie close share most of their shingles."""
    return " ".join(f"word{number}" for number in range(start, start + count))


def splits(division: Division) -> Counter[str]:
    """Files by split."""
    return Counter(given.split for given in division.assignments)


def held(given: Assignment) -> bool:
    """Whether a file is not trained on."""
    return given.split != "train"
