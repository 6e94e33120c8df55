"""The linear map from sampled pairs to Shapley values: a regression whose bias under relabelled players is exactly nil.

Let a set of coalitions be fixed and its players be relabelled by a random permutation. Then any linear map that treats
the players alike has as its expectation the Shapley values of the game v(S) b(|S|), with factors b that depend on the
map alone: the class's sum of x_S . L_S over the number of sizes that it stands for (Ruiz, Valenciano and Zarzuelo 1998
characterise these values). Here the map is a ridge regression of D(S) = v(S) - v(rest) on x_S = 1_S - |S|/m, on x_S
times the square of the size and on an odd function of the size, plus the mean of x_S times the residuals of each class
(regression-adjusted sampling: Witter, Liu and Musco 2025), times factors that are solved for so that b is 1 everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explainer.attribution.model import BoolArray, IntArray
from explainer.attribution.sampled.classes import Classes, classes
from explainer.attribution.sampled.design import coalitions
from explainer.records import FloatArray

RIDGE = 0.03  # of the players' own slopes, and
BEND = 0.3  # of their change with the size: in units of one pair; docs/decisions/sampling.md
LEVERAGE = 1.15  # power of 1 - leverage that residuals are divided by: 1 is right for equal errors, 2 is the jackknife
FINITE = 0.7  # of the correction for drawing without repeats (Cochran 1977, section 2.6) that is trusted
SEED = 20250
KEPT = 64  # estimators kept: one for each number of players that differ, 3 MB for 60 players and 16 rounds


@dataclass(frozen=True, slots=True)
class Estimator:
    """For m players and p pairs; values = (f(x) - f(z)) / m + `values` @ t, with t = (D - line (f(x) - f(z))) / 2."""

    known: BoolArray  # (p, m)
    line: FloatArray  # (p,) the share of f(x) - f(z) that an additive game of equal players has in D
    values: FloatArray  # (m, p)
    noise: FloatArray  # (m, p) what the square of each residual adds to the variance
    basis: FloatArray  # (p, q) the regressors
    fit: FloatArray  # (q, p) the ridge regression


@lru_cache(maxsize=KEPT)
def estimator(players: int, pairs: int) -> Estimator:
    """For at least 2 players and players / 2 pairs; where that many pairs exist all are taken and the values exact."""
    shape = classes(players, pairs)
    known = coalitions(shape, np.random.default_rng([SEED, players, pairs]))
    which = np.repeat(np.arange(len(shape.size)), shape.pairs)
    size = shape.size[which]
    slopes = known - (size / players)[:, None]
    line = (2 * size - players) / players
    if shape.whole.all():
        values = (slopes * (2 * shape.weight / shape.pairs)[which][:, None]).T
        nothing = np.zeros((len(known), 0))
        return Estimator(known, line, values, np.zeros_like(values), nothing, nothing.T)
    bend = line**2 - (line**2).mean()
    basis = np.concatenate([slopes, slopes * bend[:, None], (line * (1 - line**2))[:, None]], axis=1)
    inverse = np.linalg.inv(basis.T @ basis + _penalty(players, len(known)))
    fit = inverse @ basis.T
    carried, values = _unbiased(shape, which, slopes, bend, basis, inverse)
    unfitted = np.maximum(1 - (basis * fit.T).sum(axis=1), 1e-9)
    return Estimator(known, line, values, carried**2 / unfitted**LEVERAGE, basis, fit)


def _penalty(players: int, pairs: int) -> FloatArray:
    """Ridge; slopes sum to zero, so along their sum any penalty gives the same fit and keeps the matrix regular."""
    together = np.full((players, players), 0.2 * pairs / players)
    penalty = np.zeros((2 * players + 1, 2 * players + 1))
    penalty[:players, :players] = together + RIDGE * np.eye(players)
    penalty[players:-1, players:-1] = together + BEND * np.eye(players)
    penalty[-1, -1] = 1e-9
    return penalty


def _unbiased(
    shape: Classes, which: IntArray, slopes: FloatArray, bend: FloatArray, basis: FloatArray, inverse: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The coefficients that carry error, and all of them; both (m, p).

    A whole class has its exact part, whatever the fit, and the fit's use of its pairs is taken out in expectation by
    a multiple of their sum, which is known and so carries no error.
    """
    m, sampled, numbers = shape.players, ~shape.whole, range(len(shape.size))
    share = 2 * shape.weight / shape.pairs
    moments = np.stack([slopes[which == j].T @ basis[which == j] for j in numbers])
    fitted = moments @ inverse
    bends = np.array([bend[which == j][0] for j in numbers])
    target = np.zeros((m, basis.shape[1]))
    parts = shape.sizes[sampled] / (m - 1)
    target[:, :m] = np.eye(m) * parts.sum()
    target[:, m : 2 * m] = np.eye(m) * (parts * bends[sampled]).sum()
    by_fit = np.einsum("ij,sij->s", target, fitted)
    crossed = np.einsum("sij,tij->st", fitted, moments[sampled]) * share[sampled]
    due = shape.sizes.astype(np.float64)
    factors = np.linalg.solve(np.diag(due[sampled]) - crossed[sampled], (due - by_fit)[sampled])
    residual = np.zeros(len(due))
    residual[sampled] = factors * share[sampled]
    residual[shape.whole] = ((crossed @ factors - by_fit) / due * share)[shape.whole]
    through = target - np.einsum("s,sij->ij", factors * share[sampled], moments[sampled])
    by_slopes, own = through @ inverse @ basis.T, slopes.T * residual[which]
    unseen = np.where(shape.whole, 1.0, np.sqrt(1 - FINITE * shape.pairs / shape.every))[which]
    return by_slopes + own * unseen, by_slopes + own + slopes.T * np.where(shape.whole, share, 0.0)[which]
