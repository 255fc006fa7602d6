"""Bytes of a file to text: UTF-8, a byte order mark, or a confident guess; line ends become LF."""

from __future__ import annotations

import codecs

from duotune.data.reasons import Reason

_NUL_WINDOW_BYTES = 8192
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(content: bytes) -> str | Reason:
    """The text of a file with LF line ends, or the reason why it has none.

    UTF-8 is tried strictly. Other encodings are guessed by charset-normalizer and recoded: code bases older than UTF-8
    hold a Latin-1 name in a comment more often than anything else, and losing the file for it would be the worse error.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return _line_feeds(content.decode(encoding))
            except UnicodeDecodeError:
                return Reason.ENCODING
    if b"\0" in content[:_NUL_WINDOW_BYTES]:
        return Reason.BINARY
    try:
        return _line_feeds(content.decode("utf-8"))
    except UnicodeDecodeError:
        return _guessed(content)


def _guessed(content: bytes) -> str | Reason:
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    if best is None or "\0" in (text := str(best)):
        return Reason.ENCODING
    return _line_feeds(text)


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
