"""Syntax trees by tree-sitter: the node around a place, and functions with their bodies.

A language without a grammar here has no trees; callers then fall back to lines.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser


@dataclass(frozen=True)
class Grammar:
    """Where a language's grammar is, and which of its nodes are functions.

    Attributes:
        module: Python package of the grammar.
        function: Name of its function that returns the language.
        functions: Types of the nodes that have a body to write.
    """

    module: str
    function: str
    functions: frozenset[str]


def _grammar(module: str, functions: str, function: str = "language") -> Grammar:
    return Grammar(module, function, frozenset(functions.split()))


_ECMASCRIPT = "function_declaration generator_function_declaration method_definition function_expression arrow_function"

GRAMMARS: Mapping[str, Grammar] = {
    "Python": _grammar("tree_sitter_python", "function_definition"),
    "JavaScript": _grammar("tree_sitter_javascript", _ECMASCRIPT),
    "TypeScript": _grammar("tree_sitter_typescript", _ECMASCRIPT, "language_typescript"),
    "TSX": _grammar("tree_sitter_typescript", _ECMASCRIPT, "language_tsx"),
    "Java": _grammar("tree_sitter_java", "method_declaration constructor_declaration"),
    "Go": _grammar("tree_sitter_go", "function_declaration method_declaration"),
    "Rust": _grammar("tree_sitter_rust", "function_item"),
    "C": _grammar("tree_sitter_c", "function_definition"),
    "C++": _grammar("tree_sitter_cpp", "function_definition"),
    "C#": _grammar(
        "tree_sitter_c_sharp",
        "method_declaration constructor_declaration local_function_statement operator_declaration",
    ),
    "Ruby": _grammar("tree_sitter_ruby", "method singleton_method"),
    "PHP": _grammar("tree_sitter_php", "function_definition method_declaration", "language_php"),
}


@dataclass(frozen=True)
class Span:
    """Part of a text, in characters: `text[start:end]`."""

    start: int
    end: int


class SyntaxTree:
    """A parsed text whose places are counted in characters."""

    def __init__(self, text: str, grammar: Grammar, parser: Parser) -> None:
        self._content = text.encode()
        self._ascii = len(self._content) == len(text)
        self._grammar = grammar
        self._root = parser.parse(self._content).root_node

    def node_around(self, place: int, at_least: int, at_most: int) -> Span | None:
        """The smallest named node around a character that is long enough, None when it is too long or broken.

        Args:
            place: Index of a character of the text.
            at_least: Fewest bytes.
            at_most: Most bytes.
        """
        byte = place if self._ascii else len(self._content.decode()[:place].encode())
        node = self._root.named_descendant_for_byte_range(byte, byte)
        while node is not None and node.end_byte - node.start_byte < at_least:
            node = node.parent
        if node is None or node.end_byte - node.start_byte > at_most or node.has_error:
            return None
        return self._span(node.start_byte, node.end_byte)

    def function_bodies(self) -> Iterator[Span]:
        """What is between signature (and docstring) and end of each unbroken function, without outer white space."""
        stack = [self._root]
        while stack:
            node = stack.pop()
            stack.extend(reversed(node.named_children))
            if node.type in self._grammar.functions and not node.has_error:
                body = node.child_by_field_name("body")
                inner = _inside(body, self._content) if body is not None else None
                if inner is not None:
                    yield self._span(*inner)

    def _span(self, start: int, end: int) -> Span:
        if self._ascii:
            return Span(start, end)
        before = len(self._content[:start].decode())
        return Span(before, before + len(self._content[start:end].decode()))


def parse(text: str, language: str) -> SyntaxTree | None:
    """The tree of a text, or None when the language has no grammar here."""
    grammar = GRAMMARS.get(language)
    return None if grammar is None else SyntaxTree(text, grammar, _parser(language))


@cache
def _parser(language: str) -> Parser:
    from tree_sitter import Language, Parser

    grammar = GRAMMARS[language]
    return Parser(Language(getattr(importlib.import_module(grammar.module), grammar.function)()))


def _inside(body: Node, content: bytes) -> tuple[int, int] | None:
    """First and last byte of a body's own text: no braces, no docstring, no outer white space."""
    start, end = body.start_byte, body.end_byte
    if content[start:end].startswith(b"{"):
        if not content[start:end].endswith(b"}"):
            return None
        start, end = start + 1, end - 1
    elif body.type == "block" and body.named_children and _is_docstring(body.named_children[0]):
        start = body.named_children[0].end_byte
    elif body.type not in ("block", "body_statement"):
        return None  # an arrow function's bare expression
    inner = content[start:end]
    start += len(inner) - len(inner.lstrip())
    end -= len(inner) - len(inner.rstrip())
    return (start, end) if start < end else None


def _is_docstring(statement: Node) -> bool:
    return statement.type == "expression_statement" and [n.type for n in statement.named_children] == ["string"]
