"""Bytes of a file to text: UTF-8, a byte order mark, or a guess with evidence; line ends become LF."""

from __future__ import annotations

import codecs
import contextlib
import re
from dataclasses import dataclass

from duotune.data.reasons import Reason, Rejection

_ENCODINGS = ("cp1252", "cp1250", "cp1251", "koi8_r", "gb18030", "big5", "cp932", "euc_jp", "cp949")
"""What is guessed: of Western and Central Europe, Cyrillic, Chinese, Japanese (Shift JIS as cp932) and Korean."""
_HIGH_BYTES = bytes(range(128, 256))
_LEAST_BYTES = 16
_LEAST_LETTERS = 0.6
_ACCENTED = "À-ÖØ-öø-ÿŠŒŽšœžŸ"
_LETTERS = f"A-Za-z{_ACCENTED}"
_NOT_WESTERN = re.compile(
    # Rare in themselves; three different letters or four signs in a row; a capital or a sign inside of a word.
    rf"[þÿƒˆ˜‚†‡‰¤¦¨¬¯¸]|([{_ACCENTED}])(?!\1\1)[{_ACCENTED}]{{2}}|([^\x00-\x7f])(?!\2\2\2)[^\x00-\x7f]{{3}}|[a-zà-öø-ýšœž][À-ÖØ-ÞŠŒŽŸ]"
    rf"|[{_LETTERS}][^\x00-\x7f{_LETTERS}’·\xad][{_LETTERS}]"
)
"""What bytes of another encoding, or of none, look like when they are read as Windows-1252."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Decoded:
    """A text.

    Attributes:
        text: With LF line ends.
        recoded: The encoding that was guessed; empty for UTF-8 and for a byte order mark.
    """

    text: str
    recoded: str = ""


def decode(content: bytes) -> Decoded | Rejection:
    """The text of a file with LF line ends, or the reason why it has none.

    UTF-8 is tried strictly. Code bases older than UTF-8 hold a name in Windows-1252 (or Latin-1, which is part of it)
    in a comment more often than anything else, so that is believed of text that looks like it. Anything else needs at
    least 16 bytes that are not ASCII, of which charset-normalizer makes letters in one of the encodings that source
    code is written in: a handful of bytes would fit some code page of DOS whatever they are.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return Decoded(_line_feeds(content.decode(encoding)))
            except UnicodeDecodeError as error:
                return Rejection(Reason.ENCODING, f"not {encoding.removesuffix('-sig')} at byte {error.start:,}")
    # Git looks for NUL bytes in the first 8000 only; later ones are no more text.
    if (at := content.find(b"\0")) >= 0:
        return Rejection(Reason.BINARY, f"NUL at byte {at:,}")
    try:
        return Decoded(_line_feeds(content.decode("utf-8")))
    except UnicodeDecodeError as error:
        return _guessed(content, error.start)


def _guessed(content: bytes, bad: int) -> Decoded | Rejection:
    with contextlib.suppress(UnicodeDecodeError):
        western = content.decode("cp1252")
        if not _NOT_WESTERN.search(western):
            return Decoded(_line_feeds(western), "cp1252")
    refused = Rejection(Reason.ENCODING, f"not utf-8 at byte {bad:,}")
    if len(content) - len(content.translate(None, _HIGH_BYTES)) < _LEAST_BYTES:
        return refused
    from charset_normalizer import from_bytes

    best = from_bytes(content, cp_isolation=list(_ENCODINGS)).best()
    if best is None or best.encoding not in _ENCODINGS:
        return refused
    text = str(best)
    foreign = [character for character in text if not character.isascii()]
    if sum(map(str.isalpha, foreign)) < _LEAST_LETTERS * len(foreign):
        return refused
    return Decoded(_line_feeds(text), best.encoding)


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
