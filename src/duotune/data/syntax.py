"""Syntax trees by tree-sitter: the node around a place, functions with their bodies, comments with what they describe.

A language without a grammar here has no trees; callers then fall back to lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING

from duotune.data.comments import Described, described
from duotune.data.grammars import GRAMMARS, load
from duotune.data.spans import Section, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tree_sitter import Node, Parser, Query


MAX_DEPTH = 300
"""Levels of a tree that are looked at; hand-written code has some 50, and a hostile file a million."""

_WIDE = 2000


class SyntaxTree:
    """A parsed text whose places are counted in characters."""

    def __init__(self, text: str, language: str) -> None:
        self._content = text.encode()
        self._ascii = len(self._content) == len(text)
        self._language = language
        self._root = _parser(language).parse(self._content).root_node
        self._is_readable = not _has_wide_error(self._root)

    def node_around(self, place: int, at_least: int, at_most: int) -> Span | None:
        """The smallest named node around a character that is long enough, None when it is too long or broken.

        Args:
            place: Index of a character of the text.
            at_least: Fewest bytes.
            at_most: Most bytes.
        """
        if not self._is_readable:
            return None
        byte = place if self._ascii else int(self._starts[place])
        found = None
        # From the root down, since a node finds its parent by the same way, each time.
        cursor = self._root.walk()
        for _ in range(MAX_DEPTH):
            node = cursor.node
            if (
                node is None
                or not node.start_byte <= byte < node.end_byte
                or node.end_byte - node.start_byte < at_least
            ):
                break
            found = node if node.is_named else found
            if cursor.goto_first_child_for_byte(byte) is None:
                break
        if found is None or found.end_byte - found.start_byte > at_most or found.has_error:
            return None
        return self._span(found.start_byte, found.end_byte)

    def function_bodies(self) -> Iterator[Span]:
        """What is between signature (and docstring) and end of each unbroken function, without outer white space."""
        return (section.body for section in self.functions())

    def functions(self) -> Iterator[Section]:
        """Each unbroken function: its body, after its decorators, doc comment, signature and docstring."""
        kinds = GRAMMARS[self._language].functions
        for node in self._found.get("definition", []):
            body = node.child_by_field_name("body") if node.type in kinds and not node.has_error else None
            inner = None if body is None else _inside(body, self._content)
            if inner is not None:
                yield self._section(_head(self._content, node.start_byte), *inner)

    def described(self) -> Iterator[Section]:
        """The code that a comment or a docstring speaks of, after that comment.

        A comment stands on lines of its own directly above the code: a definition, or statements up to a blank line. A
        docstring (Python) speaks of the rest of its function or class.
        """
        for node in self._found.get("definition", []):
            body = None if node.has_error else node.child_by_field_name("body")
            inner = None if body is None or not _has_docstring(body) else _inside(body, self._content)
            if body is not None and inner is not None:
                yield self._section(body.start_byte, *inner)
        for found in described(self._content, self._root, self._found.get("comment", []), self._language):
            yield self._commented(found)

    def _commented(self, found: Described) -> Section:
        return self._section(found.comment, found.start, found.end)

    @cached_property
    def _found(self) -> dict[str, list[Node]]:
        from tree_sitter import QueryCursor

        if not self._is_readable:
            return {}
        cursor = QueryCursor(_query(self._language))
        cursor.set_max_start_depth(MAX_DEPTH)
        captures = cursor.captures(self._root)
        return {name: sorted(nodes, key=lambda node: node.start_byte) for name, nodes in captures.items()}

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """First byte of each character, and the end."""
        import numpy as np

        content = np.frombuffer(self._content, dtype=np.uint8)
        return np.append(np.flatnonzero((content & 0xC0) != 0x80), len(content))

    def _section(self, head: int, start: int, end: int) -> Section:
        return Section(self._span(head, start).start, self._span(start, end))

    def _span(self, start: int, end: int) -> Span:
        if self._ascii:
            return Span(start, end)
        return Span(*(int(place) for place in self._starts.searchsorted((start, end))))


def parse(text: str, language: str) -> SyntaxTree | None:
    """The tree of a text, or None when the language has no grammar here."""
    return SyntaxTree(text, language) if language in GRAMMARS else None


@cache
def _parser(language: str) -> Parser:
    from tree_sitter import Parser

    return Parser(load(language))


@cache
def _query(language: str) -> Query:
    from tree_sitter import Query

    return Query(load(language), GRAMMARS[language].query)


def _has_wide_error(root: Node) -> bool:
    """Whether somewhere thousands of pieces follow each other that the grammar knows nothing to do with.

    Every walk over such a node takes time with the square of its length. Only what holds errors is looked at.
    """
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR" and node.child_count > _WIDE:
            return True
        waiting += [child for child in node.children if child.has_error]
    return False


def _head(content: bytes, start: int) -> int:
    """Where a definition begins: its first line, or the first of the decorators and comments directly above it."""
    line = content.rfind(b"\n", 0, start) + 1
    while line:
        above = content.rfind(b"\n", 0, line - 1) + 1
        if not content[above : line - 1].lstrip().startswith((b"//", b"/*", b"*", b"#", b"@", b"[")):
            break
        line = above
    end = content.find(b"\n", line)
    text = content[line : end if end >= 0 else len(content)]
    return line + len(text) - len(text.lstrip())


def _inside(body: Node, content: bytes) -> tuple[int, int] | None:
    """First and last byte of a body's own text: no braces, no docstring, no outer white space."""
    start, end = body.start_byte, body.end_byte
    if content[start:end].startswith(b"{"):
        if not content[start:end].endswith(b"}"):
            return None
        start, end = start + 1, end - 1
    elif _has_docstring(body):
        start = body.named_children[0].end_byte
    elif body.type not in ("block", "body_statement"):
        return None  # an arrow function's bare expression
    inner = content[start:end]
    start += len(inner) - len(inner.lstrip())
    end -= len(inner) - len(inner.rstrip())
    return (start, end) if start < end else None


def _has_docstring(body: Node) -> bool:
    """Whether a body of Python begins with a string that is a statement."""
    if body.type != "block" or not body.named_children:
        return False
    first = body.named_children[0]
    return first.type == "expression_statement" and [node.type for node in first.named_children] == ["string"]
