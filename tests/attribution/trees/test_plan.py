from __future__ import annotations

import numpy as np

from explainer.attribution.trees.forest import lay_out
from explainer.attribution.trees.plan import WIDTH, Limits, cut
from tests.attribution.trees.forests import random_trees


def test_every_leaf_lies_in_one_group_or_is_deep() -> None:
    """Roles partition the nodes: tops above, groups below them, and no leaf is lost or counted twice."""
    forest = lay_out(random_trees(1, columns=12, depth=11, trees=3), np.arange(12))
    plan = cut(forest, 64, Limits(state_bits=5, leaf_bits=5))
    leaf = forest.right < 0
    covered = np.zeros(len(leaf), int)
    for root in plan.group:
        covered[root : root + forest.size[root]] += leaf[root : root + forest.size[root]]
    covered[plan.role == 3] += 1
    assert (covered[leaf] == 1).all()
    assert (plan.role == 3).sum() == plan.deep.sum() > 0
    assert not (plan.role[plan.top] != 0).any()


def test_a_groups_state_has_a_bit_for_each_player_before_and_each_test_within() -> None:
    """Table sizes are 2 to the number of those, and never beyond the limit."""
    forest = lay_out(random_trees(2, columns=9, depth=9), np.arange(9))
    plan = cut(forest, 64, Limits(state_bits=6, leaf_bits=6))
    bits = forest.players[plan.group] + np.diff(plan.inner_start)
    assert np.array_equal(np.diff(plan.state_start), 2**bits)
    assert bits.max() <= 6


def test_tables_keep_to_the_memory_that_is_allowed() -> None:
    """Less memory means fewer bits and more deep leaves, down to what fits."""
    forest = lay_out(random_trees(3, columns=12, depth=12, trees=4), np.arange(12))
    large, small = cut(forest, 64), cut(forest, 64, Limits(table_bytes=40_000))
    assert small.state_start[-1] * 64 <= 40_000 < large.state_start[-1] * 64
    assert small.deep.sum() > large.deep.sum()


def test_a_leaf_with_many_players_is_listed_in_two_halves() -> None:
    """Its second half holds the players from slot WIDTH on; together they are all players on its path."""
    forest = lay_out(random_trees(5, columns=12, depth=14, trees=1), np.arange(12))
    plan = cut(forest, 64)
    wide = np.flatnonzero(np.diff(plan.group) == 0)
    assert len(wide) > 0
    for g in wide:
        leaf = plan.group[g]
        assert plan.group[g + 1] == leaf
        assert forest.right[leaf] < 0
        held = [p for p in [*plan.member[g], *plan.member[g + 1]] if p >= 0]
        assert len(held) == len(set(held)) == forest.players[leaf] > WIDTH
