"""In every parsed language: a function's signature and body, and the code that a comment speaks of."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from duotune.data.grammars import GRAMMARS
from duotune.data.syntax import parse


@dataclass(frozen=True)
class Sample:
    """Source with what is expected of it.

    Attributes:
        language: linguist's name.
        source: A file.
        head: Beginning of the signature of its first function, decorators and doc comment included.
        body: Beginning and end of that function's body.
        comment: A comment on a line of its own, or a docstring.
        code: Beginning and end of the code it speaks of.
    """

    language: str
    source: str
    head: str
    body: tuple[str, str]
    comment: str
    code: tuple[str, str]


SAMPLES = [
    Sample(
        "Python",
        '''from functools import lru_cache


class Ledger:
    """Entries of one account, newest first."""

    @lru_cache
    def balance(self, currency: str) -> Decimal:
        """Sum of all entries in one currency."""
        entries = [e for e in self.entries if e.currency == currency]

        # Refunds were stored with a positive sign until 2019.
        signed = [-e.amount if e.refund else e.amount for e in entries]
        return sum(signed, Decimal(0))
''',
        "@lru_cache\n    def balance(self, currency: str) -> Decimal:\n        ",
        ("entries = [e for", "Decimal(0))"),
        "# Refunds were stored with a positive sign until 2019.",
        ("signed = [-e", "sum(signed, Decimal(0))"),
    ),
    Sample(
        "JavaScript",
        """import { client } from './client.js';

/**
 * Loads one page of invoices and marks those that are overdue.
 */
export async function loadInvoices(page, { size = 50 } = {}) {
  const response = await client.get(`/invoices?page=${page}&size=${size}`);
  // The server sends dates without a time zone.
  const now = Date.now();
  return response.data.map((invoice) => ({ ...invoice, overdue: Date.parse(invoice.due) < now }));
}
""",
        "/**\n * Loads one page",
        ("const response", "< now }));"),
        "// The server sends dates without a time zone.",
        ("const now", "< now }));"),
    ),
    Sample(
        "TypeScript",
        """export class Queue<T> {
  private items: T[] = [];

  // Removes and returns the oldest item, if any.
  shift(): T | undefined {
    if (this.items.length === 0) {
      return undefined;
    }
    return this.items.splice(0, 1)[0];
  }
}
""",
        "// Removes and returns the oldest item, if any.\n  shift(): T",
        ("if (this.items", "splice(0, 1)[0];"),
        "// Removes and returns the oldest item, if any.",
        ("shift(): T", "}"),
    ),
    Sample(
        "TSX",
        """import { useState } from 'react';

// Shows a count that grows with every click.
export function Counter({ start }: { start: number }) {
  const [count, setCount] = useState(start);
  return <button onClick={() => setCount(count + 1)}>{count}</button>;
}
""",
        "// Shows a count",
        ("const [count", "</button>;"),
        "// Shows a count that grows with every click.",
        ("export function Counter", "}"),
    ),
    Sample(
        "Java",
        """package com.acme.billing;

public class Invoice {
    private final List<Line> lines = new ArrayList<>();

    /**
     * Returns the sum of all lines, rounded to cents.
     */
    @Override
    public BigDecimal total() {
        BigDecimal sum = BigDecimal.ZERO;
        // Lines of a cancelled order stay in the list.
        for (Line line : lines) {
            if (!line.isCancelled()) {
                sum = sum.add(line.amount());
            }
        }
        return sum.setScale(2, RoundingMode.HALF_UP);
    }
}
""",
        "/**\n     * Returns the sum",
        ("BigDecimal sum", "HALF_UP);"),
        "// Lines of a cancelled order stay in the list.",
        ("for (Line line", "}\n        }"),
    ),
    Sample(
        "Go",
        """package store

import "sync"

// Get returns the value of a key, and whether it is there.
func (c *Cache) Get(key string) (string, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	value, ok := c.values[key]
	return value, ok
}
""",
        "// Get returns the value",
        ("c.mu.RLock()", "return value, ok"),
        "// Get returns the value of a key, and whether it is there.",
        ("func (c *Cache) Get", "}"),
    ),
    Sample(
        "Rust",
        """use std::collections::HashMap;

/// Counts how often each word occurs in a text.
/// Words are separated by white space.
pub fn count_words(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}
""",
        "/// Counts how often",
        ("let mut counts", "counts"),
        "/// Counts how often each word occurs in a text.",
        ("pub fn count_words", "}"),
    ),
    Sample(
        "C",
        """#include <string.h>
#include "table.h"

/* Finds an entry by its name; -1 when there is none. */
int find_entry(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->entries[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}
""",
        "/* Finds an entry",
        ("for (size_t i", "return -1;"),
        "/* Finds an entry by its name; -1 when there is none. */",
        ("int find_entry", "}"),
    ),
    Sample(
        "C++",
        """#include <vector>

namespace geometry {

// Area of a polygon by the shoelace formula.
template <typename T>
T area(const std::vector<Point<T>>& points) {
    T sum = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto& next = points[(i + 1) % points.size()];
        sum += points[i].x * next.y - next.x * points[i].y;
    }
    return sum / 2;
}

}  // namespace geometry
""",
        "T area(const",
        ("T sum = 0;", "return sum / 2;"),
        "// Area of a polygon by the shoelace formula.",
        ("template <typename T>", "}"),
    ),
    Sample(
        "C#",
        """using System.Linq;

namespace Acme.Billing
{
    public class Report
    {
        /// <summary>Names of the customers who owe most.</summary>
        [Obsolete]
        public IReadOnlyList<string> Debtors(int count)
        {
            var sorted = _customers.OrderByDescending(c => c.Debt);
            return sorted.Take(count).Select(c => c.Name).ToList();
        }
    }
}
""",
        "/// <summary>Names of",
        ("var sorted", "ToList();"),
        "/// <summary>Names of the customers who owe most.</summary>",
        ("[Obsolete]\n", "}"),
    ),
    Sample(
        "Ruby",
        """module Billing
  class Mailer
    # Sends a reminder to every customer with an open invoice.
    def remind(customers)
      customers.select(&:debtor?).each do |customer|
        deliver(customer.email, template: :reminder)
      end
    end
  end
end
""",
        "# Sends a reminder",
        ("customers.select", "end"),
        "# Sends a reminder to every customer with an open invoice.",
        ("def remind", "end"),
    ),
    Sample(
        "PHP",
        """<?php

namespace Acme;

class Basket
{
    /**
     * Adds an article, or raises its count when it is there already.
     */
    public function add(Article $article, int $count = 1): void
    {
        $key = $article->id();
        $this->counts[$key] = ($this->counts[$key] ?? 0) + $count;
    }
}
""",
        "/**\n     * Adds an article",
        ("$key = $article", "+ $count;"),
        "/**\n     * Adds an article, or raises its count when it is there already.\n     */",
        ("public function add", "}"),
    ),
]


def test_every_grammar_has_a_sample() -> None:
    assert {sample.language for sample in SAMPLES} == set(GRAMMARS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.language)
@pytest.mark.parametrize("beyond_ascii", [False, True])
def test_function_is_cut_into_signature_and_body(sample: Sample, beyond_ascii: bool) -> None:
    text = sample.source
    if beyond_ascii:
        line = {"Python": "# ", "Ruby": "# "}.get(sample.language, "// ")
        text = text.replace("<?php\n", f"<?php\n{line}é 日本\n") if "<?php" in text else f"{line}é 日本 😀\n\n{text}"
    tree = parse(text, sample.language)
    assert tree is not None
    function = next(tree.functions())
    body = text[function.body.start : function.body.end]
    assert text[function.head : function.body.start].startswith(sample.head)
    assert body.startswith(sample.body[0])
    assert body.endswith(sample.body[1])
    assert next(iter(tree.function_bodies())) == function.body


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.language)
def test_comment_is_followed_by_the_code_it_speaks_of(sample: Sample) -> None:
    text = sample.source
    tree = parse(text, sample.language)
    assert tree is not None
    found = {text[s.head : s.body.start].rstrip(): text[s.body.start : s.body.end] for s in tree.described()}
    code = next(code for comment, code in found.items() if comment.startswith(sample.comment))
    assert code.startswith(sample.code[0])
    assert code.endswith(sample.code[1])


def test_docstrings_of_python_speak_of_the_rest_of_their_definition() -> None:
    text = SAMPLES[0].source
    tree = parse(text, "Python")
    assert tree is not None
    found = {text[s.head : s.body.start].rstrip(): text[s.body.start : s.body.end] for s in tree.described()}
    assert found['"""Entries of one account, newest first."""'].startswith("@lru_cache")
    assert found['"""Sum of all entries in one currency."""'].startswith("entries = [e for")


@pytest.mark.parametrize(
    "comment",
    [
        "# type: ignore",
        "# pylint: disable=all of these",
        "# ---------------- helpers for this module ----------------",
        "# Copyright 2024 by the whole company",
        "# total = compute(all of it);",
        "# short label",
        "total = 1  # this comment stands after code",
    ],
)
def test_comments_that_describe_nothing_are_passed_over(comment: str) -> None:
    tree = parse(f"import os\n\n{comment}\ntotal = sum(values)\n", "Python")
    assert tree is not None
    assert list(tree.described()) == []


def test_described_statements_end_at_a_blank_line_a_comment_or_a_definition_s_end() -> None:
    text = (
        "# Opens the two files that are compared.\none = open(a)\nother = open(b)\n\nrest = 1\n"
        "# Compares them line by line.\nfor line in one:\n    check(line)\nafter = 2\n"
        "# A comment above a blank line is about the file.\n\nx = 1\n"
    )
    tree = parse(text, "Python")
    assert tree is not None
    codes = [text[section.body.start : section.body.end] for section in tree.described()]
    assert codes == ["one = open(a)\nother = open(b)", "for line in one:\n    check(line)"]


def test_broken_functions_are_passed_over() -> None:
    tree = parse("# A function that does not end here.\nfunction f( {\n  return 1;\n", "JavaScript")
    assert tree is not None
    assert list(tree.functions()) == []
    assert list(tree.described()) == []


def test_language_without_a_grammar_has_no_tree() -> None:
    assert parse("fun f() = 1\n", "Kotlin") is None


@pytest.mark.parametrize("line", ["(" * 900, "{[(" * 300, "f(() => {" * 100])
def test_file_that_is_nothing_but_open_brackets_is_given_up(line: str) -> None:
    """Walks over such a tree take time with the square of its length: hours for a file of one megabyte."""
    text = f"{line}\n" * 400
    for language in ("Python", "JavaScript"):
        tree = parse(text, language)
        assert tree is not None
        assert list(tree.described()) == []
        assert len(list(tree.functions())) <= text.count("=>")
        assert tree.node_around(len(text) // 2, 100, 400) is None
