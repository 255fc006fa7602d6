"""Assigning to several projects at once loses nothing that a person did not take back."""

from __future__ import annotations

from duotune.screens.projects.wish import Wish, sentences

BEFORE = {"web": ("a", "shop"), "zoo": ("shop",)}


def test_it_begins_with_what_all_have_and_changes_nothing_by_itself() -> None:
    wish = Wish(BEFORE)
    assert wish.chosen == ["shop"]
    assert wish.kept == {"a"}
    assert wish.after == BEFORE
    other = Wish({"web": ("a", "b"), "zoo": ("b", "a")})
    assert other.chosen == ["a", "b"]
    assert other.after == {"web": ("a", "b"), "zoo": ("b", "a")}


def test_what_is_added_comes_last_and_what_one_has_alone_keeps_its_place() -> None:
    wish = Wish(BEFORE)
    wish.turn("new")
    assert wish.after == {"web": ("a", "shop", "new"), "zoo": ("shop", "new")}


def test_what_only_some_have_is_chosen_for_all_then_taken_from_all_then_left_again() -> None:
    wish = Wish(BEFORE)
    wish.turn("a")
    assert wish.after == {"web": ("shop", "a"), "zoo": ("shop", "a")}
    wish.turn("a")
    assert wish.after == {"web": ("shop",), "zoo": ("shop",)}
    wish.turn("a")
    assert wish.after == BEFORE


def test_the_order_of_choice_holds_for_all() -> None:
    wish = Wish(BEFORE)
    wish.turn("shop")
    wish.turn("new")
    wish.turn("shop")
    assert wish.after == {"web": ("new", "shop", "a"), "zoo": ("new", "shop")}


def test_what_is_offered_comes_first_and_the_base_model_is_none() -> None:
    wish = Wish(BEFORE, "offered")
    assert wish.after == {"web": ("offered", "shop", "a"), "zoo": ("offered", "shop")}
    wish.clear()
    assert wish.after == {"web": (), "zoo": ()}


def test_who_gets_the_same_is_told_together_and_of_many_the_first() -> None:
    assert sentences({"web": ("a", "b"), "zoo": (), "old": ()}) == ["web gets a, then b", "zoo, old get the base model"]
    many = {f"p{number}": (f"a{number}",) for number in range(9)}
    assert sentences(many)[-1] == "and 6 more projects something else each"
    assert len(sentences(many)) == 4
