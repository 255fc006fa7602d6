"""Bytes of a file to text: UTF-8, a byte order mark, or a confident guess; line ends become LF."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from duotune.data.reasons import Reason, Rejection

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

    UTF-8 is tried strictly. Other encodings are guessed by charset-normalizer and recoded: code bases older than UTF-8
    hold a Latin-1 name in a comment more often than anything else, and losing the file for it would be the worse error.
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
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    if best is None or "\0" in (text := str(best)):
        return Rejection(Reason.ENCODING, f"not utf-8 at byte {bad:,}")
    return Decoded(_line_feeds(text), best.encoding)


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
