"""Proves which passwords are refused, and that everything else is taken as it is."""

from __future__ import annotations

import pytest

from explainer.access.strength import check_strength
from explainer.errors import InvalidOption


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "Ünïcödé gölgé fénêtre",
        "9f3kq0zt7m2v",
        "anna likes blue bicycles",
        "        a b c d e f g h i        ",
        "explainer of strange birds",
        "中文密码也可以用哦很好的呀",
        "wm8# !v! 0eb",
    ],
)
def test_these_are_taken(password: str) -> None:
    """No kinds of characters are asked for, and none are forbidden."""
    check_strength(password, "anna")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "x" * 1025,
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "hunter2hunter2hunter2",
        "abcdefghijklmnop",
        "123456789012345",
        "9876543210987654",
        "qwertyuiopasdfgh",
        "annaannaanna",
        "Anna-Anna-1",
        "explainerexplainer",
        "Explainer2026!",
        "passwordpassword1",
        "ANNA MUELLER 1",
    ],
)
def test_these_are_refused_with_a_reason(password: str) -> None:
    """Too short, too long, a repetition, a row of keys, or made of the own name and the service's."""
    with pytest.raises(InvalidOption) as caught:
        check_strength(password, "Anna Mueller" if "MUELLER" in password else "anna")
    assert caught.value.detail.startswith("password: ")
    assert caught.value.problems
