"""The passwords that most people choose: 18,055 of six characters or more, kept in a file beside this one."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("common_passwords.txt.gz")


def longest_common(text: str) -> str:
    """The longest common password that `text`, in lower case, contains; empty where there is none."""
    known, shortest, longest = _known()
    for length in range(min(longest, len(text)), shortest - 1, -1):
        for start in range(len(text) - length + 1):
            if text[start : start + length] in known:
                return text[start : start + length]
    return ""


@cache
def _known() -> tuple[frozenset[str], int, int]:
    """All of them, and the shortest and longest length: read when a password is chosen for the first time."""
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        words = frozenset(file.read().split("\n")) - {""}
    lengths = [len(word) for word in words]
    return words, min(lengths), max(lengths)
