"""What a planted secret is, and the characters that secrets are made of."""

from __future__ import annotations

import string
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
URLSAFE = ALNUM + "_-"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
DIGITS = string.digits
BASE32 = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Planted:
    """A secret in a line of code.

    Attributes:
        type: Its name in the corpus.
        rule: The rule that has to find it.
        line: The line, or lines.
        secret: What must not survive in any text or token stream.
        value: What the finding has to span; by default the secret.
        language: Of the file.
    """

    type: str
    rule: str
    line: str
    secret: str
    value: str = ""
    language: str = "Python"

    @property
    def span(self) -> str:
        """What the finding has to span."""
        return self.value or self.secret
