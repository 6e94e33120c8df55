"""Proves which passwords are refused, and that everything else is taken as it is."""

from __future__ import annotations

import gzip

import pytest

from explainer.access.common_passwords import FILE, longest_common
from explainer.access.strength import LONGEST, SHORTEST, check_strength
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
        "Sunshine2026!",
        "iloveyou!!!!",
        "ILoveYouForever",
        "xX-superman-Xx",
        "manchester united",
        "1q2w3e4r5t6y",
        "princess4711#",
    ],
)
def test_common_passwords_are_refused_with_a_little_added_too(password: str) -> None:
    """The list knows the passwords that most people choose, in any case; a year and a sign do not hide them."""
    with pytest.raises(InvalidOption) as caught:
        check_strength(password, "anna")
    assert caught.value.problems
    assert password not in caught.value.detail


@pytest.mark.parametrize(
    "password", ["sunshine over grey harbours", "my superman eats 40 pears", "battery staple horse mint"]
)
def test_a_common_word_among_others_is_no_fault(password: str) -> None:
    """What counts is what is left beside it."""
    check_strength(password, "anna")


def test_every_common_password_of_sufficient_length_is_refused() -> None:
    """All of the list that the least length lets through, as they are and written large."""
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        long = [word for word in file.read().split() if len(word) >= SHORTEST]
    assert len(long) > 150
    for word in [*long, *map(str.upper, long)]:
        with pytest.raises(InvalidOption):
            check_strength(word)


def test_the_longest_password_is_looked_at_in_no_time() -> None:
    """A thousand different characters hold no common password."""
    assert longest_common("".join(chr(0x4E00 + i) for i in range(LONGEST))) == ""
    assert longest_common("xxsunshinexx") == "sunshine"
    assert longest_common("") == ""


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
