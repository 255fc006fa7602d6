"""Whether letters follow each other as in words and names, or as chance lines them up.

Two descriptions of a value are compared by their length in bits (minimum description length): as words written
together, in camelCase or with digits between them, and as characters drawn at random.
"""

from __future__ import annotations

import itertools
import math
import re
from functools import lru_cache

# Half bits that a letter costs after another, in base 36: -2 log2 of how often it follows, over 16,800 different words
# of CPython's standard library and of the code and translations of three other projects. First row: at a word's start.
_ROWS = (
    "897899ab8eea8ab8f868acbegf",
    "e979ieaiakc687m9k685bcedci",
    "6bad7fgg7ag5ee7cm88c7hgj9i",
    "6gbd6fh79l88dg4gi9b6afjndm",
    "7cda3ceg5giaed7dka9b9eghek",
    "9e87bbcgejg9a6fbe567fcd9ei",
    "8hdc76dj4jh8ed6di7aa9khkcn",
    "8fed3ea97nj9c9adn68c9fglgf",
    "5fed4fif6ogcdc5gi9c9bjijcj",
    "ab89ab9mjhg8947bia77kbneoa",
    "6eca4hfhahaedc5dhe8c6ddjfc",
    "8ddb3cbe6gh8fabdgc6bbgalck",
    "6fda4ehi5mg7ge6dmgaaafjn8k",
    "5agc4fij7lfcaf76ih9caijkck",
    "7g877a6g8hccfb9dif75bbikfk",
    "db98ecbidhc984a8l6998baeii",
    "5gdd5egb8of7hf78j6a8aifmao",
    "defdegiffih9ibfcdcag1idgii",
    "6faa4dbi6ndcab7doa78bdflbn",
    "9g9e5ee97jdbee98fe748gekbk",
    "7gbd4dh85licdf8cm78abgfiag",
    "a8ab8bck9ki785d8n676hilglj",
    "4gcj2eig5kkecg8fneeehhhihl",
    "5fdb6df95hhcg87eh78cefedjl",
    "9c7b6afb7lgbaib5ldb4eef9bh",
    "bb9a8bed9mfa87a5ic66ddbecc",
    "6kfd2djc6jieef7fjddedkjhdc",
)
_COSTS = tuple(tuple(int(digit, 36) / 2 for digit in row) for row in _ROWS)
# An abbreviation ends where a word begins: `HTTPServer`.
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NEW_WORD = 2.5
_SHORT_WORD = 2.5
_DIGIT = math.log2(10)
_DIGITS_BEGIN = 3.0
_ONE_CASE, _BOTH_CASES = math.log2(26), math.log2(52)


@lru_cache(maxsize=4096)
def jumble(value: str) -> float:
    """By how many bits chance describes a value better than words do: above 0 it looks random, below 0 like words.

    Args:
        value: ASCII; other characters than letters and digits only separate words.
    """
    both = not (value.islower() or value.isupper())
    chance = sum(map(str.isalpha, value)) * (_BOTH_CASES if both else _ONE_CASE)
    chance += sum(map(str.isdigit, value)) * math.log2(62 if both else 36)
    words = 0.0
    for piece in _PIECES.findall(value):
        if piece.isdigit():
            words += _DIGITS_BEGIN + len(piece) * _DIGIT
        else:
            words += _word(piece)
    return words - chance


def _word(piece: str) -> float:
    """Bits of one word, or of capitals in a row."""
    places = [ord(letter) - 96 for letter in piece.lower()]
    bits = _COSTS[0][places[0] - 1] + _NEW_WORD + (_SHORT_WORD if len(piece) < 3 else 0)
    follow = [_COSTS[former][later - 1] for former, later in itertools.pairwise(places)]
    # Letters of an abbreviation follow no word's rule.
    return bits + (sum(min(one, _ONE_CASE) for one in follow) if piece.isupper() else sum(follow))
