"""The search for changes that lead to the other outcome: one change, then two, then more; the nearest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.records import FloatArray
from explainer.reviews import candidates
from explainer.reviews.oracle import Oracle

SINGLES = 0.4  # share of the evaluations that single changes may take
PULLING = 0.25  # share that is kept for pulling changes back
EXCHANGES = 300  # sets in which one change is exchanged for another
NEARER = 1e-9  # by which one set has to be nearer than another
FIRST = 12  # values of each number that are tried first when it is pulled back


@dataclass(frozen=True, slots=True)
class Limits:
    """How many changes an answer may have (1 to 5), how many answers are wanted, how many rows the model evaluates."""

    most_changes: int = 3
    most_answers: int = 3
    most_evaluations: int = 6000


@dataclass(frozen=True, slots=True)
class Tried:
    """What was asked about sets of so many changes: how many are `possible`, how many of them the model `evaluated`.

    `whole`: every possible one was looked at; those that were not evaluated are unlike anything in the background.
    """

    changes: int
    possible: int
    evaluated: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """Moves that lead to the other outcome; `minimal` once every nearer value and every change undone was ruled out."""

    moves: tuple[int, ...]
    score: float
    minimal: bool


@dataclass(slots=True)
class Hunt:
    """One search. `hits` are the answers so far, no one's features contained in another's."""

    oracle: Oracle
    limits: Limits
    own: float = np.nan
    hits: list[Hit] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    _free: BoolArray = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    _alone: FloatArray = field(default_factory=lambda: np.empty(0))  # (moves,) what each gains by itself
    _front: tuple[IntArray, FloatArray] = field(default_factory=lambda: (np.empty(0, np.int64), np.empty(0)))
    _last: tuple[IntArray, FloatArray] = field(default_factory=lambda: (np.empty((0, 1), np.int64), np.empty(0)))

    @property
    def left(self) -> int:
        return self.limits.most_evaluations - self.oracle.evaluations

    @property
    def over(self) -> bool:
        """Whether nothing is left to look for: the outcome is the other one already, or there are answers enough."""
        return bool(self.oracle.crossed(np.array([self.own]))[0]) or len(self.hits) >= self.limits.most_answers

    def singles(self) -> None:
        """The row itself and its single changes: all of them, or evenly spread ones where they are too many."""
        moves = self.oracle.moves
        ids = candidates.thinned(moves, max(1, int(self.limits.most_evaluations * SINGLES)))
        scores = self.oracle.scores(np.concatenate([[-1], ids])[:, None])
        self.own, scores = float(scores[0]), scores[1:]
        whole = len(ids) == len(moves)
        self.tried.append(Tried(1, len(moves), len(ids), whole))
        self._free = np.ones(len(moves), dtype=np.bool_)
        if self.over:
            return
        good = self.oracle.crossed(scores)
        good[good] = self.oracle.plausible(ids[good][:, None])
        self._free = ~np.isin(moves.feature, moves.feature[ids[good]])
        self._alone = np.zeros(len(moves))
        self._alone[ids] = self._gains(scores)
        self._front = candidates.front(moves, ids, self._gains(scores), self._free)
        self._last = self._front[0][:, None], self._front[1]
        self._take(ids[good][:, None], scores[good], sure=whole)

    def together(self, changes: int) -> None:
        """Sets of so many changes: all of them where they are few enough, otherwise the most promising."""
        count = candidates.possible(self.oracle.moves, self._free, changes)
        whole = self.tried[-1].whole and count <= self.left
        sets = self._every(changes) if whole else self._promising(changes)
        scores = self.oracle.scores(sets)
        self.tried.append(Tried(changes, count, len(sets), whole))
        good = self.oracle.crossed(scores)
        self._last = sets[~good], self._gains(scores[~good])
        self._take(sets[good], scores[good], sure=whole)

    def _gains(self, scores: FloatArray) -> FloatArray:
        return np.asarray(self.oracle.toward * (scores - self.own))

    def _every(self, changes: int) -> IntArray:
        sets = candidates.every(self.oracle.moves, self._free, changes)
        sets = sets[~self._contains_a_hit(sets)]
        return sets[self.oracle.plausible(sets)]

    def _promising(self, changes: int) -> IntArray:
        oracle, moves = self.oracle, self.oracle.moves
        kept = int(self.limits.most_evaluations * PULLING)
        room = max(0, (self.left - kept) // (self.limits.most_changes - changes + 1))
        parents = self._last if changes == 2 else candidates.beam(moves, *self._last)
        if not len(parents[0]) or not len(self._front[0]) or not room:
            return np.empty((0, changes), dtype=np.int64)
        sets, gains = candidates.extended(moves, parents, self._front)
        fresh = ~self._contains_a_hit(sets)
        sets, gains = sets[fresh], gains[fresh]
        predicted = oracle.crossed(self.own + oracle.toward * gains)
        order = candidates.promising(candidates.kinds(moves, sets), predicted, oracle.costs(sets), gains)
        return self._plausible(sets[order], room)

    def _plausible(self, sets: IntArray, room: int) -> IntArray:
        """The plausible ones of the first `room` sets, and of as many again where these do not fill the room."""
        found = sets[:room][self.oracle.plausible(sets[:room])]
        more = sets[room : 2 * room] if len(found) < room else sets[:0]
        return np.concatenate([found, more[self.oracle.plausible(more)]])[:room]

    def _contains_a_hit(self, sets: IntArray) -> BoolArray:
        """Which sets change all features that an answer changes."""
        feature = self.oracle.moves.feature
        found = np.zeros(len(sets), dtype=np.bool_)
        for hit in self.hits:
            found |= np.isin(feature[sets], feature[list(hit.moves)]).sum(axis=1) >= len(hit.moves)
        return found

    def _take(self, sets: IntArray, scores: FloatArray, *, sure: bool) -> None:
        """Make answers of sets that lead to the other outcome: the nearest, then the nearest with other features.

        `sure`: all nearer values and all smaller sets were looked at before.
        """
        oracle, feature = self.oracle, self.oracle.moves.feature
        order = np.lexsort((oracle.steps(sets), oracle.costs(sets)))
        sets, scores = sets[order], scores[order]
        first = candidates.rank_in(candidates.kinds(oracle.moves, sets)) == 0
        sets, scores, costs = sets[first], scores[first], oracle.costs(sets[first])
        used: set[int] = {int(f) for hit in self.hits for f in feature[list(hit.moves)]}
        while len(sets) and not self.over:
            shared = np.isin(feature[sets], list(used)).mean(axis=1)
            best = int(np.argmin(costs * (1.0 + shared)))
            hit = Hit(tuple(sets[best].tolist()), float(scores[best]), True)
            hit = hit if sure else self._pulled(hit)
            self._keep(hit)
            used |= {int(f) for f in feature[list(hit.moves)]} | {int(f) for f in feature[sets[best]]}
            rest = ~self._contains_a_hit(sets)
            rest[best] = False
            sets, scores, costs = sets[rest], scores[rest], costs[rest]

    def _keep(self, hit: Hit) -> None:
        """Keep an answer unless another one does with fewer of its features."""
        named = [set(self.oracle.moves.feature[list(h.moves)].tolist()) for h in (*self.hits, hit)]
        if not any(other <= named[-1] for other in named[:-1]):
            self.hits = [h for h, other in zip(self.hits, named, strict=False) if not named[-1] < other] + [hit]

    def _pulled(self, hit: Hit) -> Hit:
        """Undo changes, pull numbers back and exchange changes for nearer ones while the other outcome remains."""
        stages = (partial(self._nearer, FIRST), partial(self._nearer, None), self._exchanged)
        stage = 0
        while stage < len(stages):
            sets = stages[stage](hit.moves)
            sets = sets[self.oracle.plausible(sets)]
            if len(sets) > self.left:
                return Hit(hit.moves, hit.score, stage == 2)
            better = self._nearest(sets)
            if better is None:
                stage += 1
            else:
                hit, stage = better, stage % 2
        return Hit(hit.moves, hit.score, True)

    def _nearest(self, sets: IntArray) -> Hit | None:
        """Of the sets that lead to the other outcome the one with fewest changes, then the nearest."""
        scores = self.oracle.scores(sets)
        good = self.oracle.crossed(scores)
        if not good.any():
            return None
        sets, scores = sets[good], scores[good]
        best = np.lexsort((self.oracle.steps(sets), self.oracle.costs(sets), (sets >= 0).sum(axis=1)))[0]
        return Hit(tuple(m for m in sets[best].tolist() if m >= 0), float(scores[best]), False)

    def _nearer(self, most: int | None, moves: tuple[int, ...]) -> IntArray:
        """The same set with one change undone or with a nearer value of one number, of which at most so many."""
        found = []
        for i, move in enumerate(moves):
            values = self.oracle.moves.nearer(move)
            if most is not None and len(values) > most:
                values = values[np.unique(np.linspace(0, len(values) - 1, most).astype(np.int64))]
            for value in (-1, *values.tolist()):
                found.append([*moves[:i], value, *moves[i + 1 :]])
        return np.array(found, dtype=np.int64)

    def _exchanged(self, moves: tuple[int, ...]) -> IntArray:
        """Sets that are nearer with one change exchanged for another, at most EXCHANGES."""
        oracle, feature = self.oracle, self.oracle.moves.feature
        cost = oracle.costs(np.array([moves]))[0]
        found = [np.empty((0, len(moves)), dtype=np.int64)]
        for i in range(len(moves)):
            others = feature[[*moves[:i], *moves[i + 1 :]]]
            ids = np.flatnonzero(self._free & ~np.isin(feature, others))
            sets = np.tile(np.array(moves), (len(ids), 1))
            sets[:, i] = ids
            found.append(sets[oracle.costs(sets) < cost - NEARER])
        sets = np.concatenate(found)
        sets = sets[~self._contains_a_hit(sets)]
        order = np.argsort(-self._alone[sets].sum(axis=1), kind="stable")
        return np.sort(sets[order[:EXCHANGES]], axis=1)
