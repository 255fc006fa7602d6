"""What a verdict keeps from being published, and what publishes it yet."""

from __future__ import annotations

import pytest

from duotune.adapters.publish import publish_withheld
from duotune.catalog.catalog import Catalog
from duotune.errors import UsageError
from support.publishing import Publisher


def test_harmful_adapter_is_withheld_until_somebody_gives_a_reason(publisher: Publisher, catalog: Catalog) -> None:
    done = publisher(verdict="harmful")
    assert done.version.state == "withheld"
    assert catalog.adapters.current("demo") is None
    with pytest.raises(UsageError, match="found harmful"):
        publish_withheld(catalog, "demo.v1", who="ann")
    forced = publish_withheld(catalog, "run-1", "the tests are wrong", "ann")
    assert (forced.state, forced.published_by, forced.force_reason) == ("published", "ann", "the tests are wrong")
    with pytest.raises(UsageError, match="published already"):
        publish_withheld(catalog, "demo", "again", "ann")


def test_what_was_found_harmful_is_not_published_by_another_verdict_on_the_same_bytes(
    publisher: Publisher, catalog: Catalog
) -> None:
    publisher(verdict="harmful")
    again = publisher(verdict="better", run="run-2")
    assert (again.name, again.version.state, again.harmful_yet_published) == ("demo.v1", "withheld", False)
    assert [(e.run, e.verdict) for e in catalog.evaluations.of("demo", 1)] == [
        ("run-2", "better"),
        ("run-1", "harmful"),
    ]
    with pytest.raises(UsageError, match=r"demo\.v1 was found harmful"):
        publish_withheld(catalog, "run-2", who="ann")
    assert publish_withheld(catalog, "run-2", "I looked at it", "ann").name == "demo.v1"


def test_harmful_verdict_on_what_is_published_is_recorded_and_told(publisher: Publisher, catalog: Catalog) -> None:
    publisher()
    again = publisher(verdict="harmful", run="run-2")
    assert (again.version.state, again.harmful_yet_published) == ("published", True)
    publisher(verdict="harmful", run="run-2")
    assert [e.verdict for e in catalog.evaluations.of("demo", 1)] == ["harmful", "better"]


def test_harmful_verdict_on_what_was_withheld_to_ask_keeps_it_withheld(publisher: Publisher) -> None:
    publisher(policy="ask")
    publisher(policy="ask", verdict="harmful", run="run-2")
    assert publisher(run="run-3").version.state == "withheld"


def test_what_was_withheld_only_to_ask_is_published_by_a_run_that_need_not(publisher: Publisher) -> None:
    publisher(policy="ask")
    assert publisher(run="run-2", by="ann").version.published_by == "ann"


def test_adapter_that_asks_first_is_withheld_and_published_without_a_reason(
    publisher: Publisher, catalog: Catalog
) -> None:
    assert publisher(policy="ask").version.published_at is None
    assert publish_withheld(catalog, "demo", who="ann").published_at is not None
    assert catalog.adapters.current("demo") is not None
