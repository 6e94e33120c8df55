"""Nearest names."""

from __future__ import annotations

from explainer.registry.nearest import listing, nearest, suggestion


def test_nearest() -> None:
    """A small slip finds the name; something else finds none."""
    assert nearest("amont", ["amount", "months"]) == "amount"
    assert nearest("zzz", ["amount", "months"]) is None
    assert suggestion("amont", ["amount"]) == " Did you mean 'amount'?"
    assert suggestion("zzz", ["amount"]) == ""


def test_wrong_words_stay_cheap() -> None:
    """Neither a huge word nor a huge list is compared."""
    assert nearest("a" * 1000, ["a" * 1000]) is None
    assert nearest("name1", [f"name{i}" for i in range(5000)]) is None
    assert listing([f"name{i}" for i in range(5000)], word="name7").startswith("'name0', 'name1'")


def test_listing() -> None:
    """The list begins with what is most alike and says how many names it leaves out."""
    assert listing(["car", "house", "horse"], word="hose", most=2) == "'house', 'horse' and 1 more"
    assert listing(["b", "a"]) == "'b', 'a'"
