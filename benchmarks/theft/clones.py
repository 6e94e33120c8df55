"""Clones trained on answers: what was said of each row is all they know, and they choose the best way to use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from lightgbm import LGBMRegressor
from sklearn.ensemble import ExtraTreesRegressor

from benchmarks.theft.answers import Pool
from explainer.records import FloatArray

Clone = Callable[[FloatArray], FloatArray]  # rows (n, features) to margins less the cut (n,)
Shown = Literal["nothing", "reasons", "rounded", "full"]
TOLD_APART = 0.25  # of the rows an attacker keeps back to choose between clones


def stolen(told: Pool, shown: Shown, scores: bool, top: int) -> Clone:
    """The clone that an attacker takes who sees the decision, or the score, and `shown` of the attributions.

    Of all the ways to make use of what is shown, and of those that leave it aside, the one that agrees best with a
    quarter of the answers is taken, then trained on all of them.
    """
    ways = _ways(told, shown, scores, top)
    if len(ways) == 1:
        return ways[0](told)
    order = np.random.default_rng(len(told.rows)).permutation(len(told.rows))
    kept, learnt = np.split(order, [int(TOLD_APART * len(order))])
    marks = [_mark(way(told.part(learnt)), told.part(kept)) for way in ways]
    return ways[int(np.argmax(marks))](told)


def agreement(clone: Clone, judged: Pool) -> float:
    """Share of the rows that are decided alike."""
    return float(np.mean((clone(judged.rows) > 0) == (judged.margins > judged.cut)))


def _mark(clone: Clone, kept: Pool) -> tuple[float, float] | float:
    """Agreement, where equal the correlation of the margins."""
    said = clone(kept.rows)
    alike = float(np.mean((said > 0) == (kept.margins > kept.cut)))
    near = float(np.corrcoef(said, kept.margins)[0, 1]) if said.std() > 0 else 0.0
    return alike + 0.1 * near


def _ways(told: Pool, shown: Shown, scores: bool, top: int) -> list[Callable[[Pool], Clone]]:
    target = _target(scores)
    plain: list[Callable[[Pool], Clone]] = [lambda p: _boosted(p, target), lambda p: _additive(p, target)]
    if shown == "nothing":
        return plain
    if shown == "reasons":
        return [*plain, *(lambda p, w=way: w(p, target, top) for way in (_hinted, _pieced))]
    step = 0.05 if shown == "rounded" else 0.0
    return [*plain, lambda p: _summed(p, step)]


def _target(scores: bool) -> Callable[[Pool], FloatArray]:
    def of(p: Pool) -> FloatArray:
        away = p.margins - p.cut
        return np.asarray(away if scores else np.sign(away), dtype=np.float64)

    return of


def _boosted(p: Pool, target: Callable[[Pool], FloatArray]) -> Clone:
    fitted = _trees().fit(p.rows, target(p))
    return lambda rows: np.asarray(fitted.predict(rows), dtype=np.float64)


def _additive(p: Pool, target: Callable[[Pool], FloatArray]) -> Clone:
    cells = _Cells(p)
    weights = cells.fitted(target(p)[:, None])
    return lambda rows: np.asarray(cells(rows) @ weights[:, 0], dtype=np.float64)


def _summed(p: Pool, step: float) -> Clone:
    """One small model of each feature's attribution; their sum is the margin."""
    assert p.attributions is not None
    told = np.round(p.attributions / step) * step if step else p.attributions
    base = float(np.mean(p.margins - p.attributions.sum(axis=1))) - p.cut
    forests = [_trees(few=True).fit(p.rows, column) for column in told.T]
    return lambda rows: base + np.sum([f.predict(rows) for f in forests], axis=0)


def _signs(p: Pool, top: int) -> FloatArray:
    """What order and direction of the leading `top` say: 1, 1/2, 1/3, ... with their sign; 0 for all others."""
    assert p.attributions is not None
    ranks = np.argsort(np.argsort(-np.abs(p.attributions), axis=1, kind="stable"), axis=1)
    return np.asarray(np.where(ranks < top, np.sign(p.attributions) / (1 + ranks), 0.0), dtype=np.float64)


def _hinted(p: Pool, target: Callable[[Pool], FloatArray], top: int) -> Clone:
    """The reasons are foretold for rows that were not asked about, and help to foretell the score."""
    forest = ExtraTreesRegressor(100, min_samples_leaf=2, random_state=0, n_jobs=1).fit(p.rows, _signs(p, top))
    cells = _Cells(p)
    hints = cells.fitted(_signs(p, top))

    def seen(rows: FloatArray) -> FloatArray:
        return np.hstack([rows, forest.predict(rows), cells(rows) @ hints])

    inputs = np.hstack([p.rows, _signs(p, top), cells(p.rows) @ hints])
    fitted = _trees().fit(inputs, target(p))
    return lambda rows: np.asarray(fitted.predict(seen(rows)), dtype=np.float64)


def _pieced(p: Pool, target: Callable[[Pool], FloatArray], top: int) -> Clone:
    """Sizes are put back: a ridge says how much each reason at each rank is worth, each worth has its own model."""
    signs, y = _signs(p, top), target(p)
    assert p.attributions is not None
    inputs = np.hstack([signs, np.sign(signs), np.ones((len(y), 1))])
    worth = np.linalg.solve(inputs.T @ inputs + np.eye(inputs.shape[1]), inputs.T @ y)
    n = signs.shape[1]
    parts = signs * worth[:n] + np.sign(signs) * worth[n : 2 * n]
    rest = y - parts.sum(axis=1)
    told = np.hstack([parts, rest[:, None]])
    forests = [_trees(few=True).fit(p.rows, column) for column in told.T if column.std() > 0]
    fixed = float(sum(column[0] for column in told.T if column.std() == 0))
    return lambda rows: fixed + np.sum([f.predict(rows) for f in forests], axis=0)


def _trees(*, few: bool = False) -> LGBMRegressor:
    return LGBMRegressor(
        n_estimators=50 if few else 150,
        learning_rate=0.1 if few else 0.06,
        num_leaves=8,
        min_child_samples=5,
        n_jobs=1,
        verbose=-1,
        random_state=0,
    )


class _Cells:
    """Every feature by itself: a category's own column, a number's place among ten quantiles."""

    def __init__(self, p: Pool) -> None:
        self._kinds = p.kinds
        shares = np.linspace(0, 1, 11)[1:-1]
        self._edges = [
            None if k else np.unique(np.nanquantile(c, shares)) for k, c in zip(p.kinds, p.rows.T, strict=True)
        ]
        self._rows = p.rows

    def __call__(self, rows: FloatArray) -> FloatArray:
        columns = [np.ones((len(rows), 1))]
        for kind, edges, column in zip(self._kinds, self._edges, rows.T, strict=True):
            place = np.where(np.isnan(column), -1, column) if edges is None else np.searchsorted(edges, column)
            many = kind if edges is None else len(edges) + 1
            columns.append(np.asarray(place[:, None] == np.arange(many), dtype=np.float64))
        return np.hstack(columns)

    def fitted(self, targets: FloatArray, ridge: float = 1.0) -> FloatArray:
        x = self(self._rows)
        return np.asarray(np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ targets), dtype=np.float64)
