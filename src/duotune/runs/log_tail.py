"""The end of a growing text file, line by line, however long the file is."""

from __future__ import annotations

from pathlib import Path

from duotune.errors import HostError, printable

MOST_LINES = 2_000
MOST_BYTES = 1 << 19
"""More than that between two readings, and what is in the middle is passed over."""
LONGEST_LINE = 2_000
TAB = "    "


class LogTail:
    """Reads a log from its end on.

    Args:
        file: The log; it may come into being later.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._offset = 0

    def read(self) -> list[str]:
        """The complete lines that have come since the last reading, at most the last 2,000, as they may be shown.

        Raises:
            HostError: The log cannot be read.
        """
        try:
            with self.file.open("rb") as stream:
                size = stream.seek(0, 2)
                if size < self._offset:  # somebody began it anew
                    self._offset = 0
                start = max(self._offset, size - MOST_BYTES)
                cut = start > self._offset
                stream.seek(start)
                data = stream.read(size - start)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise HostError(
                f"The log {printable(self.file)} cannot be read: {error.strerror}.", "Check its owner and its disk."
            ) from error
        end = data.rfind(b"\n") + 1
        if not end:
            return []
        self._offset = start + end
        lines = data[:end].decode(errors="replace").split("\n")[:-1]
        return [_shown(line) for line in lines[1 if cut else 0 :][-MOST_LINES:]]


def _shown(line: str) -> str:
    line = line.rstrip("\r").replace("\t", TAB)
    cut = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} …"
    return cut if cut.isprintable() else printable(cut)
