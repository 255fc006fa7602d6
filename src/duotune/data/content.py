"""What makes two texts the same text."""

from __future__ import annotations

import hashlib


def content_hash(text: str) -> str:
    """SHA-256 (hex) of a text with LF line ends, blind to white space at the ends of lines and of the file."""
    lines = "\n".join(line.rstrip() for line in text.rstrip().split("\n"))
    return hashlib.sha256(lines.encode()).hexdigest()
