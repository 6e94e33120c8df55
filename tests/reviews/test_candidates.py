"""Which sets of changes are asked about."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explainer.reviews import candidates
from explainer.reviews.moves import Moves

counts = st.lists(st.integers(1, 5), min_size=1, max_size=5)


def moves(values: list[int]) -> Moves:
    """Features with so many values each, upward."""
    feature = np.repeat(np.arange(len(values)), values)
    steps = np.concatenate([np.arange(1, n + 1) for n in values])
    return Moves(feature, steps * 1.0, np.ones_like(steps), steps, steps / 10.0, steps * 1.0)


def all_sets(found: Moves, ids: list[int], changes: int) -> set[tuple[int, ...]]:
    sets = combinations(ids, changes)
    return {s for s in sets if len({int(found.feature[i]) for i in s}) == changes}


@given(counts, st.integers(1, 3), st.data())
def test_every_set(values: list[int], changes: int, data: st.DataObject) -> None:
    """All sets of free moves of different features are made, each once, and counted without making them."""
    found = moves(values)
    free = np.array(data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found))), dtype=np.bool_)
    sets = candidates.every(found, free, changes)
    right = all_sets(found, np.flatnonzero(free).tolist(), changes)
    assert sorted(map(tuple, sets.tolist())) == sorted(right)
    assert candidates.possible(found, free, changes) == len(right)


@given(counts)
def test_extended_by_one(values: list[int]) -> None:
    """Extending single moves gives every pair, extending pairs every triple, each once, with gains added."""
    found = moves(values)
    gains = np.arange(1.0, len(found) + 1)
    singles = (np.arange(len(found))[:, None], gains)
    pairs = candidates.extended(found, singles, (np.arange(len(found)), gains))
    triples = candidates.extended(found, pairs, (np.arange(len(found)), gains))
    for (sets, sums), changes in ((pairs, 2), (triples, 3)):
        assert sorted(map(tuple, sets.tolist())) == sorted(all_sets(found, list(range(len(found))), changes))
        assert sums.tolist() == gains[sets].sum(axis=1).tolist()


def test_thinned_keeps_the_outermost() -> None:
    """Too many moves are thinned evenly, feature by feature; the outermost of each remains."""
    kept = candidates.thinned(moves([100, 4, 50]), 30)
    assert {0, 99, 100, 103, 104, 153} <= set(kept.tolist())
    assert len(kept) <= 30
    assert candidates.thinned(moves([3, 3]), 6).tolist() == list(range(6))
    assert len(candidates.thinned(moves([2] * 50), 10)) == 10


def test_front_keeps_what_is_not_outdone() -> None:
    """A farther value that gains no more than a nearer one is left out; a feature without gains keeps its best."""
    found = moves([4, 3, 2])
    gains = np.array([1.0, 0.5, 2.0, 2.0, -3.0, -1.0, -2.0, 5.0, 6.0])
    free = np.array([True] * 7 + [False] * 2)
    ids, kept = candidates.front(found, np.arange(9), gains, free)
    assert (ids.tolist(), kept.tolist()) == ([0, 2, 5], [1.0, 2.0, -1.0])


def test_front_is_bounded() -> None:
    """With very many features those that gain most are combined."""
    found = moves([20] * 300)
    gains = (found.steps * (1 + found.feature)).astype(np.float64)
    ids, _ = candidates.front(found, np.arange(len(found)), gains, np.ones(len(found), dtype=np.bool_))
    assert len(ids) <= candidates.MOST_FRONT
    assert 299 in found.feature[ids]


def test_promising_takes_turns() -> None:
    """The nearest set that should do comes first, then the best of other kinds, then the second best of each."""
    kind = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([True, True, False, False, False, True])
    costs = np.array([0.3, 0.1, 0.0, 0.0, 0.0, 0.2])
    gains = np.array([9.0, 9.0, 5.0, 1.0, 2.0, 9.0])
    assert candidates.promising(kind, predicted, costs, gains).tolist() == [1, 5, 4, 0, 3, 2]


def test_beam_is_varied() -> None:
    """At most OF_ONE_KIND sets that change the same features are extended, the best ones."""
    found = moves([5, 5, 5])
    sets = candidates.every(found, np.ones(15, dtype=np.bool_), 2)
    gains = np.where(found.feature[sets].max(axis=1) == 1, 10.0, 1.0) + np.arange(len(sets)) / 1000
    kept, best = candidates.beam(found, sets, gains)
    assert (np.unique(candidates.kinds(found, kept), return_counts=True)[1] == candidates.OF_ONE_KIND).all()
    assert best.tolist() == sorted(best.tolist(), reverse=True)
