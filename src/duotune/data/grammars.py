"""The grammars of parsed languages: where each is, and which of its nodes are functions, classes and sequences."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language


@dataclass(frozen=True)
class Grammar:
    """Where a language's grammar is, and which of its nodes are what.

    Attributes:
        module: Python package of the grammar.
        function: Name of its function that returns the language.
        functions: Types of the nodes that have a body to write.
        classes: Types of the nodes that hold functions and may have a docstring.
        comments: Types of the nodes that are comments.
    """

    module: str
    function: str
    functions: tuple[str, ...]
    classes: tuple[str, ...] = ()
    comments: tuple[str, ...] = ("comment",)

    @property
    def query(self) -> str:
        """Finds functions and classes as `@definition`, and comments as `@comment`."""
        definitions = " ".join(f"({name})" for name in (*self.functions, *self.classes))
        comments = " ".join(f"({name})" for name in self.comments)
        return f"[{definitions}] @definition [{comments}] @comment"


def _grammar(module: str, functions: str, function: str = "language", **others: str) -> Grammar:
    return Grammar(module, function, tuple(functions.split()), **{name: tuple(o.split()) for name, o in others.items()})


_ECMASCRIPT = "function_declaration generator_function_declaration method_definition function_expression arrow_function"
_LINE_AND_BLOCK = "line_comment block_comment"

GRAMMARS: Mapping[str, Grammar] = {
    "Python": _grammar("tree_sitter_python", "function_definition", classes="class_definition"),
    "JavaScript": _grammar("tree_sitter_javascript", _ECMASCRIPT),
    "TypeScript": _grammar("tree_sitter_typescript", _ECMASCRIPT, "language_typescript"),
    "TSX": _grammar("tree_sitter_typescript", _ECMASCRIPT, "language_tsx"),
    "Java": _grammar(
        "tree_sitter_java",
        "method_declaration constructor_declaration compact_constructor_declaration",
        comments=_LINE_AND_BLOCK,
    ),
    "Go": _grammar("tree_sitter_go", "function_declaration method_declaration"),
    "Rust": _grammar("tree_sitter_rust", "function_item", comments=_LINE_AND_BLOCK),
    "C": _grammar("tree_sitter_c", "function_definition"),
    "C++": _grammar("tree_sitter_cpp", "function_definition"),
    "C#": _grammar(
        "tree_sitter_c_sharp",
        "method_declaration constructor_declaration local_function_statement operator_declaration",
    ),
    "Ruby": _grammar("tree_sitter_ruby", "method singleton_method"),
    "PHP": _grammar("tree_sitter_php", "function_definition method_declaration", "language_php"),
}

_SEQUENCES = (
    "module program source_file translation_unit compilation_unit block statement_block statement_list body_statement"
    " class_body declaration_list field_declaration_list compound_statement constructor_body interface_body enum_body"
    " object_type switch_body then else do begin block_body enum_variant_list enum_member_declaration_list"
    " enum_body_declarations namespace_definition object array"
)
SEQUENCES = frozenset(_SEQUENCES.split())
"""Nodes whose children follow each other as statements or members do, in the languages above."""


@cache
def load(language: str) -> Language:
    """The grammar of one of these languages, loaded once."""
    from tree_sitter import Language

    grammar = GRAMMARS[language]
    return Language(getattr(importlib.import_module(grammar.module), grammar.function)())
