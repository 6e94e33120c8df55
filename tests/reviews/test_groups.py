"""Counts as they may be told."""

from __future__ import annotations

import pytest

from explainer.reviews.groups import told


@pytest.mark.parametrize(
    ("count", "of", "exactly", "words"),
    [
        (0, 100, None, "fewer than 5 of 100"),
        (4, 100, None, "fewer than 5 of 100"),
        (5, 100, 5, "5 of 100"),
        (95, 100, 95, "95 of 100"),
        (96, 100, None, "more than 95 of 100"),
        (1200, 1200, 1200, "1,200 of 1,200"),
        (3, 4, None, "of fewer than 5"),
        (5, 8, None, "more than 3 of 8"),
    ],
)
def test_small_groups_are_not_counted(count: int, of: int, exactly: int | None, words: str) -> None:
    """Neither a group below the smallest size nor the few that are left over by a large one can be read off."""
    share = told(count, of)
    assert (share.count, share.of, share.words) == (exactly, of, words)
