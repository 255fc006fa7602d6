"""A tree of folders: plain signs, names shown literally, and never a disk on the event loop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from duotune.errors import printable
from duotune.screens.page import Page
from duotune.widgets.glyphs import glyphs

MOST = 500
"""Folders of one folder that are shown; another one can be typed."""


@dataclass(frozen=True)
class Folder:
    """A folder; whether it is a Git repository."""

    path: Path
    git: bool = False


class FolderTree(Tree[Folder]):
    """Folders below one; those that are Git repositories are marked.

    Args:
        page: Whose threads are used.
        path: Where it begins.
    """

    help_text = "Folders of this host. Enter opens one and takes it; backspace goes one folder up."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace", "up", "Folder above", id="folders.up"),
    ]

    class Taken(Message):
        """A folder is taken."""

        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    def __init__(self, page: Page, path: Path, id: str | None = None) -> None:
        self._page = page
        super().__init__(Text(printable(path)), Folder(path), id=id)
        self.guide_depth = 2

    def on_mount(self) -> None:
        """Open the first folder."""
        self.root.expand()

    def render_label(self, node: TreeNode[Folder], base_style: Style, style: Style) -> Text:
        """A sign for open or closed, the name, and a word for a repository."""
        signs = ("▾ ", "▸ ") if glyphs().braille else ("- ", "+ ")
        text = Text.assemble((signs[0] if node.is_expanded else signs[1], base_style), (str(node.label), style))
        if node.data is not None and node.data.git:
            text.append("  Git", base_style + Style(dim=True))
        return text

    def action_up(self) -> None:
        """Begin one folder above."""
        if self.root.data is None:
            return
        above = self.root.data.path.parent
        self.reset(Text(printable(above)), Folder(above))
        self.root.expand()
        self._load(self.root)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Folder]) -> None:
        """Read what is in it, the first time."""
        event.stop()
        if not event.node.children:
            self._load(event.node)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Folder]) -> None:
        """Take it."""
        event.stop()
        if event.node.data is not None:
            self.post_message(self.Taken(event.node.data.path))

    def _load(self, node: TreeNode[Folder]) -> None:
        if node.data is not None:
            self._page.in_background(partial(folders_in, node.data.path), partial(self._enter, node))

    def _enter(self, node: TreeNode[Folder], found: Sequence[Folder]) -> None:
        if not self.is_attached or node.children:
            return
        for folder in found:
            node.add(Text(printable(folder.path.name)), folder)


def folders_in(path: Path) -> list[Folder]:
    """The folders in one that are not hidden, by name; none where it cannot be read."""
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.path for entry in entries if not entry.name.startswith(".") and _is_folder(entry))
    except OSError:
        return []
    return [Folder(Path(name), _is_repository(Path(name))) for name in names[:MOST]]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_repository(path: Path) -> bool:
    """By what lies in it; opening it will tell for certain."""
    return (path / ".git").exists() or ((path / "HEAD").exists() and (path / "objects").exists())
