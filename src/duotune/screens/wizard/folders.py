"""A tree of folders: plain signs, names shown literally, and never a disk on the event loop."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DirectoryTree
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from duotune.errors import printable
from duotune.widgets.glyphs import glyphs


class FolderTree(DirectoryTree):
    """Folders below one; those that are Git repositories are marked. Backspace goes to the folder above."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace", "up", "Folder above", id="folders.up"),
    ]

    def __init__(self, path: Path, id: str | None = None) -> None:
        self._repositories: set[Path] = set()
        super().__init__(path, id=id)

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """Folders that are not hidden; called in a thread, which also sees which are repositories."""
        kept = []
        for path in paths:
            if not path.name.startswith(".") and self._safe_is_dir(path):
                kept.append(path)
                if os.access(path / ".git", os.F_OK) or os.access(path / "HEAD", os.F_OK):
                    self._repositories.add(path)
        return kept

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        """Name, a sign for open or closed, and a word for a repository."""
        signs = ("▾ ", "▸ ") if glyphs().braille else ("- ", "+ ")
        path = node.data.path if node.data else Path()
        name = printable(path if node.is_root else path.name)
        text = Text.assemble((signs[0] if node.is_expanded else signs[1], base_style), (name, style))
        if path in self._repositories:
            text.append("  Git", style + Style(dim=True))
        return text

    def action_up(self) -> None:
        """Begin one folder above."""
        self.path = Path(self.path).parent

    def _populate_node(self, node: TreeNode[DirEntry], content: Iterable[Path]) -> None:
        """Enter the folders that a thread has found, without asking the disk again."""
        node.remove_children()
        for path in content:
            node.add(Text(printable(path.name) or "."), data=DirEntry(path), allow_expand=True)
        node.expand()
