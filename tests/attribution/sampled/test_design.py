"""What `coalitions` promises: the sizes asked for, whole classes without repeats, and players that appear alike."""

import numpy as np

from explainer.attribution.sampled.classes import classes
from explainer.attribution.sampled.design import coalitions


def dealt(players, pairs, seed=0):
    of = classes(players, pairs)
    known = coalitions(of, np.random.default_rng(seed))
    return of, known, np.repeat(of.size, of.pairs)


def test_every_coalition_has_the_size_of_its_class():
    """Row by row, for an even and an odd number of players, few pairs and many."""
    for players, pairs in ((9, 24), (10, 90), (30, 87), (31, 300)):
        _, known, size = dealt(players, pairs)
        assert known.sum(axis=1).tolist() == size.tolist()


def test_all_pairs_are_there_once_when_all_fit():
    """Seven players have 63 pairs; each coalition or its complement is there exactly once, and so with eight."""
    for players in (7, 8):
        _, known, _ = dealt(players, 10_000)
        codes = known @ (1 << np.arange(players))
        both = np.concatenate([codes, (1 << players) - 1 - codes])
        assert sorted(both) == list(range(1, (1 << players) - 1))


def test_players_appear_about_equally_often_within_a_size():
    """Dealt from decks of all players, no player appears more than two times more than another; halves excepted."""
    of, known, size = dealt(20, 200)
    for s in of.size[of.size < 10]:
        counts = known[size == s].sum(axis=0)
        assert np.ptp(counts) <= 2


def test_pairs_are_not_repeated_while_there_are_others():
    """Of the 35 pairs of eight players with four each, a few are drawn, none of them twice."""
    _, known, size = dealt(8, 40)
    half = known[size == 4]
    turned = np.where(half[:, :1], half, ~half)
    assert len(np.unique(turned, axis=0)) == len(half)
