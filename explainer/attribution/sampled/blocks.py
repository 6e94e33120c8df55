"""One block of sampling: every background row meets the same coalitions, its players relabelled by its own draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from explainer.attribution.game import BLOCK, Game, in_blocks
from explainer.attribution.maskers import differs
from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.ports import Background
from explainer.attribution.sampled.estimator import Estimator, estimator
from explainer.records import FloatArray

ALL_BITS = np.uint64(0xFFFFFFFFFFFFFFFF)
PORTION = 2 * BLOCK  # model rows that are laid out at a time, to bound the memory

Held = Callable[[FloatArray], FloatArray]


class Control(Protocol):
    """A game for each background row whose Shapley values are known, so that only what it leaves is sampled."""

    def seen(self, known: BoolArray, roles: IntArray, places: IntArray) -> FloatArray:
        """What the model answers (coalitions, rows, columns) between the row and the background rows at `places`.

        Coalition c holds feature f of the i-th of them where `known` (coalitions, roles) does so for `roles[i, f]`.
        """
        ...

    def values(self, places: IntArray) -> FloatArray:
        """Its Shapley values (rows, features, outputs) for the background rows at `places`."""
        ...

    def left(self, seen: FloatArray, places: IntArray, held: Held) -> FloatArray:
        """D of the task's game less D of this one, (pairs, rows, outputs), from what the model answered.

        `seen` (2, pairs, rows, columns) are the answers at the coalitions and at their complements; `held` sums what
        each feature is worth (rows, features, outputs) over the coalitions, (pairs, rows, outputs).
        """
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """A row (features,) with its value (outputs,) against background rows with theirs (rows, outputs)."""

    game: Game
    row: FloatArray
    value: FloatArray
    against: Background
    ends: FloatArray
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Values, their variance and the square of it over its degrees of freedom (features, outputs); model rows."""

    values: FloatArray
    variance: FloatArray
    doubt: FloatArray
    evaluations: int
    finished: bool = True  # False: given up on the way, so that only the evaluations mean something


def pairs_of(players: int, rounds: float) -> int:
    """Pairs of coalitions of one background row: a round has as many as a walk over the players and back."""
    return int(rounds * (players - 1))


class Clock(Protocol):
    """Keeps the time of a block: how many model rows to lay out at once, and whether it is worth going on."""

    def portion(self, usual: int) -> int: ...

    def in_time(self, share: float) -> bool: ...


class Unhurried:
    """No deadline at all."""

    def portion(self, usual: int) -> int:
        return usual

    def in_time(self, share: float) -> bool:
        return True


UNHURRIED = Unhurried()


def block(task: Task, rounds: float, draws: np.random.Generator, clock: Clock = UNHURRIED) -> Block:
    """Unbiased Shapley values from `rounds` (2 or more), each background row counted by its weight.

    After each portion the clock is asked, with the share of the work that is done; its no ends the block unfinished.
    """
    differing = differs(task.row, task.against.rows)
    values, variance, doubt = (np.zeros((task.row.size, task.value.size)) for _ in range(3))
    portions = _portions(differing.sum(axis=1), rounds, clock.portion(PORTION))
    work = [1 + len(places) * pairs_of(players, rounds) for players, places in portions]
    evaluations = 0
    for i, (players, places) in enumerate(portions):
        found = _portion(task, players, places, rounds, draws)
        values += found.values
        variance += found.variance
        doubt += found.doubt
        evaluations += found.evaluations
        if not clock.in_time(sum(work[: i + 1]) / sum(work)):
            return Block(values, variance, doubt, evaluations, finished=False)
    return Block(values, variance, doubt, evaluations)


def _portions(counts: IntArray, rounds: float, most: int) -> list[tuple[int, IntArray]]:
    """Background rows that have the same number of players, not too many at a time; those without are left out."""
    found = []
    for players in np.unique(counts[counts > 0]).tolist():
        places = np.flatnonzero(counts == players)
        each = max(most // max(2 * pairs_of(players, rounds), 1), 1)
        found += [(players, places[i : i + each]) for i in range(0, len(places), each)]
    return found


def _portion(task: Task, players: int, places: IntArray, rounds: float, draws: np.random.Generator) -> Block:
    differing = differs(task.row, task.against.rows[places])
    weights = task.against.weights[places][:, None, None]
    span = task.value - task.ends[places]
    if players == 1:
        values = (weights * differing[:, :, None] * span[:, None]).sum(axis=0)
        return Block(values, np.zeros_like(values), np.zeros_like(values), 0)
    plan = estimator(players, pairs_of(players, rounds))
    roles = _roles(differing, draws)
    if task.control is None:
        seen = _seen(task, plan, roles, places)
        return _estimated(plan, roles, weights, (seen[0] - seen[1], span, np.zeros((task.row.size, span.shape[1]))))
    sides = np.pad(np.concatenate([plan.known, ~plan.known]), ((0, 0), (0, 1)))  # the last role is no player's
    seen = task.control.seen(sides, roles, places).reshape(2, len(plan.known), len(places), -1)
    known = task.control.values(places)
    left = task.control.left(seen, places, lambda worth: _held(worth, plan, roles))
    return _estimated(plan, roles, weights, (left, span - known.sum(axis=1), (weights * known).sum(axis=0)))


def _estimated(
    plan: Estimator, roles: IntArray, weights: FloatArray, parts: tuple[FloatArray, FloatArray, FloatArray]
) -> Block:
    """Values and errors from D (pairs, rows, outputs), f(x) - f(z) (rows, outputs) and what is `sure` beforehand."""
    left, span, sure = parts
    pairs, games, outputs = left.shape
    flat = ((left - plan.line[:, None, None] * span) / 2).reshape(pairs, -1)
    residuals = (flat - plan.basis @ (plan.fit @ flat)) ** 2

    def by_feature(of_roles: FloatArray, power: int) -> FloatArray:
        padded = np.concatenate([of_roles, np.zeros((1, games * outputs))]).reshape(-1, games, outputs)
        return np.asarray((weights**power * padded[roles, np.arange(games)[:, None]]).sum(axis=0))

    return Block(
        values=sure + by_feature(plan.values @ flat + (span / plan.known.shape[1]).reshape(-1), 1),
        variance=by_feature(plan.noise @ residuals, 2),
        doubt=by_feature((plan.noise * plan.noise) @ (residuals * residuals), 4),
        evaluations=2 * pairs * games,
    )


def _held(worth: FloatArray, plan: Estimator, roles: IntArray) -> FloatArray:
    """The sum of `worth` (rows, features, outputs) over each coalition, (pairs, rows, outputs)."""
    games, _, outputs = worth.shape
    by_role = np.zeros((plan.known.shape[1] + 1, games, outputs))
    by_role[roles, np.arange(games)[:, None]] = worth
    summed = plan.known.astype(np.float64) @ by_role[:-1].reshape(-1, games * outputs)
    return np.asarray(summed.reshape(-1, games, outputs))


def _roles(differing: BoolArray, draws: np.random.Generator) -> IntArray:
    """Which of the design's players each feature is, drawn anew for each background row; shape (rows, features).

    Features that do not differ get a number beyond the players.
    """
    keys = np.where(differing, draws.random(differing.shape), np.inf)
    order = np.argsort(keys, axis=1, kind="stable")
    roles = np.empty_like(order)
    np.put_along_axis(roles, order, np.arange(order.shape[1])[None], axis=1)
    return np.asarray(np.minimum(roles, differing[0].sum()))


def _seen(task: Task, plan: Estimator, roles: IntArray, places: IntArray) -> FloatArray:
    """What the model answers at the coalitions and at their complements, shape (2, pairs, rows, columns)."""
    outside = np.zeros((len(plan.known), 1), dtype=np.uint64)
    chosen = np.concatenate([np.where(plan.known, ALL_BITS, np.uint64(0)), outside], axis=1)
    seen = in_blocks(task.game, _both(task.row, task.against.rows[places], np.take(chosen, roles, axis=1)))
    return seen.reshape(2, len(plan.known), len(places), -1)


def _both(row: FloatArray, baselines: FloatArray, chosen: npt.NDArray[np.uint64]) -> FloatArray:
    """Rows (2 * pairs * z, features): the row where `chosen` (pairs, z, features) has all bits set, and where none.

    Exchanging bits is five times quicker than choosing between numbers, and keeps every bit, NaN's too.
    """
    theirs, own = baselines.view(np.uint64), row.view(np.uint64)
    exchanged = np.bitwise_and(chosen, theirs ^ own, out=chosen)
    rows = np.empty((2, *chosen.shape), dtype=np.uint64)
    np.bitwise_xor(exchanged, theirs, out=rows[0])
    np.bitwise_xor(exchanged, own, out=rows[1])
    return rows.view(np.float64).reshape(-1, row.size)
