"""What a person has chosen for their own eyes, in their own configuration directory."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_config_path

DEFAULT_THEME = "textual-dark"


@dataclass
class Preferences:
    """The choices; what cannot be read or kept is no reason to refuse to work.

    Attributes:
        file: Where they are kept.
        theme: Name of the theme.
    """

    file: Path
    theme: str = DEFAULT_THEME

    @classmethod
    def read(cls) -> Preferences:
        """Those of this user."""
        file = user_config_path("duotune") / "app.json"
        try:
            theme = json.loads(file.read_text()).get("theme", DEFAULT_THEME)
        except (OSError, ValueError, AttributeError):
            theme = DEFAULT_THEME
        return cls(file, str(theme))

    def theme_of(self, known: Container[str]) -> str:
        """The theme, or the usual one where this version knows none of that name."""
        return self.theme if self.theme in known else DEFAULT_THEME

    def keep(self, theme: str) -> None:
        """Remember the theme for the next time."""
        if theme == self.theme:
            return
        self.theme = theme
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(json.dumps({"theme": theme}) + "\n")
        except OSError:
            return
