"""Counts of people as they may be told: a group below the smallest size is never counted exactly."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 5  # rows: a smaller group is not counted exactly, and nothing typical of it is told


@dataclass(frozen=True, slots=True)
class Share:
    """How many of `of` rows: exactly, or None where these or the others are fewer than the smallest group.

    `words` say it either way.
    """

    count: int | None
    of: int
    words: str


def told(count: int, of: int, least: int = LEAST) -> Share:
    """`count` of `of` rows, as it may be told when a group has at least `least` of them."""
    if count < least:
        return Share(None, of, f"fewer than {least} of {of:,}" if of >= least else f"of fewer than {least}")
    if of - least < count < of:
        return Share(None, of, f"more than {of - least:,} of {of:,}")
    return Share(count, of, f"{count:,} of {of:,}")
