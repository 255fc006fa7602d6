"""A file in every parsed language, with what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass


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
