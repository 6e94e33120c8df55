"""Interactions of any model by walks that bring every pair of features together once: unbiased, with standard errors.

In a random order of m players two neighbours meet after a random set S of predecessors, which has just the weights of
the Shapley interaction index. The complete graph of an even number of players falls apart into m/2 paths, each through
all players (Walecki's construction); with the players relabelled at random, one set of such walks brings each pair
together exactly once, and its steps are a sample of the Shapley values too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainer.attribution.game import BLOCK, Game, in_blocks
from explainer.attribution.interactions.matrix import Matrix, halved
from explainer.attribution.maskers import baseline_values, differs, hybrids
from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.ports import Background
from explainer.attribution.uncertainty import StratifiedMean, honest
from explainer.errors import InvalidOption
from explainer.records import FloatArray, Notice

USUAL = 1 << 16  # model rows of one explained row where no budget is given
FEWEST = 2  # background rows without which no standard error can be given


def walks(players: int) -> IntArray:
    """Orders (players // 2, players) of an even number of players in which each two are neighbours exactly once."""
    step = np.arange(1, players)
    zigzag = np.concatenate([[0], np.where(step % 2 == 1, (step + 1) // 2, -(step // 2))])
    return np.asarray((zigzag + np.arange(players // 2)[:, None]) % players, dtype=np.int64)


def price(differing: BoolArray) -> IntArray:
    """Model rows of one set of walks for each background row, from where they differ from the row (z, features)."""
    even = differing.sum(axis=1) + differing.sum(axis=1) % 2
    return np.asarray(even * np.maximum(even - 1, 0), dtype=np.int64)


def sampled(game: Game, row: FloatArray, against: Background, seed: int, budget: int, confidence: float) -> Matrix:
    """As many sets of walks from every background row as `budget` model rows allow; from some of them if it is less.

    Raises InvalidOption when the budget does not even allow the walks from FEWEST of them.
    """
    differing = differs(row, against.rows)
    values, expected = baseline_values(game, against)
    course = _Course(game, row, against.rows, values, differing, game(row[None])[0])
    draws = np.random.default_rng(seed)
    prices = price(differing)
    rounds = (budget - 1) // int(prices.sum()) if prices.any() else FEWEST
    if rounds >= (1 if len(prices) > 1 else FEWEST):
        return _stratified(course, against, draws, rounds, expected, confidence)
    chosen = _systematic(against.weights, (budget - 1) // int(prices.max()), draws)
    if len(chosen) < FEWEST:
        raise InvalidOption(
            f"max_evaluations: sampling the interactions of this row takes at least {1 + FEWEST * int(prices.max()):,} "
            f"model rows; {budget:,} are allowed."
        )
    return _simple(course, chosen, draws, expected, confidence)


@dataclass(frozen=True, slots=True)
class _Course:
    """The game between a row and the background rows; `ends` (z, outputs) and `prediction` are known beforehand."""

    game: Game
    row: FloatArray
    baselines: FloatArray
    ends: FloatArray
    differing: BoolArray
    prediction: FloatArray

    def draw(self, which: IntArray, draws: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """One set of walks from each background row of `which`: indices (n, d, d, k) and Shapley values (n, d, k)."""
        orders = [self._orders(z, draws) for z in which]
        seen = self._evaluated(which, orders)
        parts = [self._indices(z, order, v) for z, order, v in zip(which, orders, seen, strict=True)]
        return np.stack([found for found, _ in parts]), np.stack([phi for _, phi in parts])

    def _orders(self, z: int, draws: np.random.Generator) -> IntArray:
        """Walks over the players of z, -1 being a player that changes nothing, where their number is odd."""
        players = np.flatnonzero(self.differing[z])
        padded = np.append(players, -1) if len(players) % 2 else players
        return np.asarray(draws.permutation(padded)[walks(len(padded))], dtype=np.int64)

    def _evaluated(self, which: IntArray, orders: list[IntArray]) -> list[FloatArray]:
        """Model values of the inner points of all walks, in calls that take several background rows together."""
        rows = [self._rows(z, order) for z, order in zip(which, orders, strict=True)]
        seen: list[FloatArray] = []
        first = 0
        while first < len(rows):
            last, size = first + 1, len(rows[first])
            while last < len(rows) and size + len(rows[last]) <= BLOCK:
                size += len(rows[last])
                last += 1
            together = np.concatenate(rows[first:last])
            values = in_blocks(self.game, together) if size else np.empty((0, self.prediction.size))
            seen += np.split(values, np.cumsum([len(r) for r in rows[first:last]])[:-1])
            first = last
        return seen

    def _rows(self, z: int, order: IntArray) -> FloatArray:
        """The row after each step of each walk, then the row with the next step but one taken instead of the next."""
        paths, m = order.shape
        place = np.full((paths, self.row.size + 1), m, dtype=np.int64)
        np.put_along_axis(place, order, np.arange(m)[None], axis=1)
        place = place[:, None, :-1]
        after = place <= np.arange(m - 1)[:, None]
        step = np.arange(m - 1)[:, None]
        skipped = (place < step) | (place == step + 1)
        known = np.stack([after, skipped], axis=1) if m else np.empty((0, 2, 0, self.row.size), dtype=np.bool_)
        return hybrids(self.row, self.baselines[z], known.reshape(-1, self.row.size))

    def _indices(self, z: int, order: IntArray, seen: FloatArray) -> tuple[FloatArray, FloatArray]:
        d, k = self.row.size, self.prediction.size
        found, phi = np.zeros((d + 1, d + 1, k)), np.zeros((d + 1, k))
        paths, m = order.shape
        if paths:
            inner, skipped = seen.reshape(paths, 2, m - 1, k).transpose(1, 0, 2, 3)
            start, end = (np.broadcast_to(v, (paths, 1, k)) for v in (self.ends[z], self.prediction))
            walk = np.concatenate([start, inner, end], axis=1)
            found[order[:, :-1], order[:, 1:]] = walk[:, 2:] - walk[:, 1:-1] - skipped + walk[:, :-2]
            np.add.at(phi, order, np.diff(walk, axis=1) / paths)
        return (found + found.transpose(1, 0, 2))[:d, :d], phi[:d]


def _stratified(
    course: _Course,
    against: Background,
    draws: np.random.Generator,
    rounds: int,
    expected: FloatArray,
    confidence: float,
) -> Matrix:
    d, k, strata = course.row.size, course.prediction.size, len(against.weights)
    mean, total = StratifiedMean(against.weights, (d, d, k)), StratifiedMean(against.weights, (d, k))
    squares = np.zeros((d, d, k))
    for _ in range(rounds):
        found, phi = course.draw(np.arange(strata), draws)
        each = np.stack([halved(f, p) for f, p in zip(found, phi, strict=True)])
        squares += (each**2).sum(axis=0)
        mean.add(each)
        total.add(phi)
    spent = 1 + rounds * int(price(course.differing).sum())
    errors = np.hypot(mean.standard_error(confidence), _least(squares, course.differing, rounds * strata))
    return Matrix(mean.mean(), errors, total.standard_error(confidence), expected, spent)


def _simple(
    course: _Course, chosen: IntArray, draws: np.random.Generator, expected: FloatArray, confidence: float
) -> Matrix:
    """The mean over some background rows; the spread between them counts, so that the interval is rather too wide."""
    found, phi = course.draw(chosen, draws)
    each = np.stack([halved(f, p) for f, p in zip(found, phi, strict=True)])
    degrees = np.asarray(len(chosen) - 1.0)
    errors = [honest(v.std(axis=0, ddof=1) / np.sqrt(len(chosen)), degrees, confidence) for v in (each, phi)]
    errors[0] = np.hypot(errors[0], _least((each**2).sum(axis=0), course.differing, len(chosen)))
    notice = Notice(
        "background-sampled", f"The budget allowed walks from {len(chosen)} of {len(course.baselines)} background rows."
    )
    spent = 1 + int(price(course.differing)[chosen].sum())
    return Matrix(each.mean(axis=0), errors[0], errors[1], expected, spent, (notice,))


def _least(squares: FloatArray, differing: BoolArray, draws: int) -> FloatArray:
    """An error (d, d, k) that no entry that can differ from zero falls below, from the sum of squares of its draws.

    Interactions that are rare may be zero in every draw, which proves little when draws are few: as if each entry had
    one more draw, of the size that draws have on average (root mean square, on the diagonal and off it). It falls
    with the number of draws itself, so it is soon nothing.
    """
    possible = (differing.T.astype(np.int64) @ differing.astype(np.int64)) > 0
    own = np.eye(len(squares), dtype=np.bool_)
    least = np.zeros_like(squares)
    for entries in (possible & own, possible & ~own):
        if entries.any():
            least[entries] = np.sqrt(squares[entries].mean(axis=0) / draws) / draws
    return least


def _systematic(weights: FloatArray, count: int, draws: np.random.Generator) -> IntArray:
    """So many background rows, each as often as its weight says on average; evenly spaced from a random start."""
    at = (draws.random() + np.arange(count)) / max(count, 1)
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(weights), at), len(weights) - 1), dtype=np.int64)
