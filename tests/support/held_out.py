"""Held-out items for tests of the evaluation."""

from __future__ import annotations

from typing import Any

from duotune.models.items import HeldOutItem


def item(number: int = 0, **fields: Any) -> HeldOutItem:
    """An item whose file is one of a handful; fields replace the defaults."""
    defaults: dict[str, Any] = {
        "id": f"item-{number:03d}",
        "set": "fim",
        "kind": "lines",
        "project": "errors",
        "path": f"file{number % 7}.py",
        "language": "Python",
        "cluster": f"c{number % 7}",
        "prefix": f'class Error{number}(DuotuneError):\n    """{"One of the errors. " * (number % 5)}"""\n\n',
        "suffix": "\n\nclass Last(DuotuneError):\n    pass\n",
        "gold": f"    exit_code = ExitCode.USAGE  # {number}\n",
    }
    return HeldOutItem.model_validate({**defaults, **fields})


def items(count: int, **fields: Any) -> list[HeldOutItem]:
    """So many items of seven files."""
    return [item(number, **fields) for number in range(count)]
