"""Which passwords are too easy to guess: too short, common, made of the name, or hardly more than a repetition."""

from __future__ import annotations

import unicodedata

from explainer.access.common_passwords import longest_common
from explainer.errors import InvalidOption, Problem

SHORTEST, LONGEST = 12, 1024
LEAST_LEFT = 8  # characters that neither the name, nor the service's name, nor a row of keys gives away
ROWS = ("qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "yxcvbnm", "zxcvbnm", "1234567890")
SERVICE = "explainer"


def check_strength(password: str, name: str = "") -> None:
    """Raises InvalidOption saying why; no kinds of characters are asked for (NIST SP 800-63B, 3.1.1.2)."""
    if not SHORTEST <= len(password) <= LONGEST:
        problem = Problem("password", "length", f"{len(password)} characters, {SHORTEST} to {LONGEST} are needed")
        raise InvalidOption(f"password: use {SHORTEST} to {LONGEST} characters of any kind.", problems=[problem])
    left = _surprising(_without(_folded(password), _folded(name)))
    if left < LEAST_LEFT:
        found = f"without names, repetitions and rows of keys only {left} characters are left"
        detail = f"password: it is too easy to guess ({found}); take several words that do not belong together."
        raise InvalidOption(detail, problems=[Problem("password", "guessable", found)])
    _check_common(_folded(password))


def _check_common(password: str) -> None:
    """What is left beside the longest common password in it has to be worth something by itself."""
    common = longest_common(password)
    if common and _surprising(password.replace(common, "")) < LEAST_LEFT:
        found = "it is, or hardly more than, one of the passwords that most people choose"
        detail = f"password: it is too easy to guess ({found}); take several words that do not belong together."
        raise InvalidOption(detail, problems=[Problem("password", "common", found)])


def _without(password: str, name: str) -> str:
    for known in (name, SERVICE, "password", "passwort"):
        if len(known) >= 3:
            password = password.replace(known, "")
    return password


def _surprising(text: str) -> int:
    """How many characters do not follow from those before: by a repetition, by counting on, or by a row of keys."""
    period = next((n for n in range(1, len(text)) if text[n:] == text[:-n]), len(text))
    text = text[:period]
    return sum(i == 0 or not _follows(text[i - 1], text[i]) for i in range(len(text)))


def _follows(before: str, letter: str) -> bool:
    pairs = (before + letter, letter + before)
    return abs(ord(letter) - ord(before)) <= 1 or any(pair in row for pair in pairs for row in ROWS)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
