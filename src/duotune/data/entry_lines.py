"""JSON documents with long lists, one entry per line: written and read entry by entry, never whole in memory.

```
{"pipeline":2,"key":"5f0c…","tokens":9000,
"files":[
{"path":"a.py",…},
{"path":"b.py",…}
],
"rejected":[
]}
```

Any reader of JSON can read them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter


def write_entry_lines(file: Path, head: str, lists: Mapping[str, Iterable[bytes]]) -> None:
    """Write a document.

    Args:
        file: Where to.
        head: Its short fields, as a JSON object that has some.
        lists: Entries of its long ones as JSON, by name.
    """
    with file.open("wb") as stream:
        stream.write(head.removesuffix("}").encode())
        for name, entries in lists.items():
            stream.write(f',\n"{name}":['.encode())
            for number, entry in enumerate(entries):
                stream.write(b",\n" if number else b"\n")
                stream.write(entry)
            stream.write(b"\n]")
        stream.write(b"}\n")


def read_entry_lines(file: Path, entries: Mapping[str, TypeAdapter[Any]]) -> dict[str, Any]:
    """Read a document: its short fields as plain values, its lists as objects.

    Args:
        file: The file; other layouts are read too, at the cost of memory.
        entries: What each list holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not such a document.
    """
    with file.open("rb") as stream:
        first = stream.readline()
        if not first.startswith(b'{"') or not first.endswith(b",\n"):
            content: dict[str, Any] = json.loads(first + stream.read())
            return content
        fields: dict[str, Any] = json.loads(first[:-2] + b"}")
        names = {f'"{name}":[\n'.encode(): name for name in entries}
        name = ""
        for line in stream:
            if line.startswith(b"{") and name:
                fields[name].append(entries[name].validate_json(line.removesuffix(b"\n").removesuffix(b",")))
            elif line in names:
                name = names[line]
                fields[name] = []
            elif line == b"]}\n":
                return fields
            elif line != b"],\n":
                break
    raise ValueError("it does not go on as it began")
