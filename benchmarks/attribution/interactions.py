"""Pairwise interactions: exact ones of trees beside their peers and enumeration, sampled ones beside enumeration.

`python -m benchmarks.attribution.interactions [seconds per cell]`. Times are CPU seconds of one thread, the best of
several runs. Gaps are the largest difference over the largest entry. Peers: `woodelf-explainer` answers the same
question where it is installed; `shap` and XGBoost itself know path-dependent interactions only, another game, of which
the time alone can be compared (asked for them against a background, shap gives nothing but zeros).
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import shap
import xgboost
from sklearn.neural_network import MLPClassifier

from benchmarks.attribution.trees import cpu
from benchmarks.machine import description
from explainer.attribution.interactions.enumerated import enumerated
from explainer.attribution.interactions.index import indices, spread
from explainer.attribution.interactions.matrix import Matrix, exact
from explainer.attribution.interactions.sampled import sampled
from explainer.attribution.maskers import background
from explainer.attribution.trees import coalitions, links, pairs
from explainer.attribution.trees.evaluate import evaluate
from explainer.attribution.uncertainty import two_sided
from explainer.formats.structure import trees_xgboost
from explainer.records import FloatArray

AGAINST = 100
CONFIDENCE = 0.95
SEEDS = 20


def boosted(features: int, depth: int, seed: int = 0) -> tuple[Any, pairs.Rivals, FloatArray, FloatArray]:
    """A booster of 100 trees, ready against 100 background rows, with these and rows to explain."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(6000, features)).astype(np.float32).astype(float)
    y = x[:, 0] * x[:, 1] + np.abs(x[:, 2]) * x[:, 3] + x[:, 4:].sum(axis=1) / 3 + random.normal(size=len(x))
    settings = {"max_depth": depth, "eta": 0.1, "nthread": 1}
    model = xgboost.train(settings, xgboost.DMatrix(x, label=y), 100)
    found = trees_xgboost.read(model)
    assert found is not None
    weights = np.full(AGAINST, 1 / AGAINST)
    return model, pairs.rivals(found[0], np.arange(features), features, x[:AGAINST], weights), x[:AGAINST], x[-200:]


def ours(ready: pairs.Rivals, row: FloatArray) -> FloatArray:
    return exact(*pairs.indices(ready, row), ready.expected, 0).values[:, :, 0]


def gap(found: FloatArray, truth: FloatArray) -> float:
    return float(np.abs(found - truth).max() / np.abs(truth).max())


def trees(seconds: float) -> Iterator[str]:
    """30 features: time of one row, and agreement with whoever answers the same question."""
    model, ready, against, rows = boosted(30, 6)
    turn = iter(range(10**9))
    spent = cpu(lambda: ours(ready, rows[next(turn) % len(rows)]), seconds)
    leaves = int((ready.forest.right < 0).sum())
    size = f"100 trees of depth 6, {leaves:,} leaves, 30 features, background {AGAINST}"
    yield f"exact, {size}: {spent * 1e3:.2f} ms a row"
    given = xgboost.DMatrix(rows[:100])
    native = cpu(lambda: model.predict(given, pred_interactions=True), seconds) / 100
    yield f"  another question (path-dependent), XGBoost's own, which shap calls: {native * 1e3:.2f} ms a row"
    peer = shap.TreeExplainer(model, shap.maskers.Independent(against, max_samples=AGAINST))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        nothing = not np.asarray(peer.shap_interaction_values(rows[:2])).any()
    told = "nothing but zeros" if nothing else "an answer, which this benchmark should compare"
    yield f"  the same question, shap: {told}"
    yield from woodelf(model, ready, against, rows, seconds)


def woodelf(model: Any, ready: pairs.Rivals, against: FloatArray, rows: FloatArray, seconds: float) -> Iterator[str]:
    if not importlib.util.find_spec("woodelf"):
        yield "  the same question, woodelf-explainer: not installed"
        return
    import pandas as pd
    from woodelf import WoodelfExplainer

    names = [f"f{i}" for i in range(rows.shape[1])]

    def ask(of: FloatArray) -> Any:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            explainer = WoodelfExplainer(model, pd.DataFrame(against, columns=names))
            return explainer.shap_interaction_values(
                pd.DataFrame(of, columns=names), include_interaction_with_itself=False, as_df=True, verbose=False
            )

    few, many = rows[:1], np.tile(rows, (5, 1))
    one, thousand = cpu(lambda: ask(few), seconds), cpu(lambda: ask(many), seconds)
    mine = cpu(lambda: [ours(ready, row) for row in many[:50]], seconds) * len(many) / 50
    told = ask(rows[:20])
    worst = max(_against(told.iloc[i], ours(ready, rows[i])) for i in range(20))
    yield (
        f"  the same question, woodelf-explainer, its preparation included: one row {one * 1e3:,.0f} ms, "
        f"{len(many):,} rows {thousand:.2f} s (ours {mine:.2f} s); agreement {worst:.1e}"
    )


def _against(told: Any, mine: FloatArray) -> float:
    """Pairs that the peer leaves out have no interaction; its values are halves of the index, as ours are."""
    theirs = np.zeros_like(mine)
    for (a, b), value in told.items():
        theirs[int(a[1:]), int(b[1:])] = theirs[int(b[1:]), int(a[1:])] = value
    off = ~np.eye(len(mine), dtype=bool)
    return gap(theirs[off], mine[off])


def truth(seconds: float) -> Iterator[str]:
    """10 features: margin and probability beside the enumeration of every coalition with the model itself."""
    model, ready, against, rows = boosted(10, 6, seed=1)
    found = trees_xgboost.read(model)
    assert found is not None
    known = background(against, "b" * 64)

    def margin(x: FloatArray) -> FloatArray:
        return evaluate(found[0], x)

    def probability(x: FloatArray) -> FloatArray:
        return np.asarray(1 / (1 + np.exp(-margin(x))))

    worst = max(gap(ours(ready, row), enumerated(margin, row, known).values[:, :, 0]) for row in rows[:4])
    yield f"exact, 10 features, margin: largest gap to enumeration over 4 rows {worst:.1e}"
    game = coalitions.contest(found[0], np.arange(10), 10, against, np.full(AGAINST, 1 / AGAINST))
    due = coalitions.cost(game, rows[0], 1 << 30)
    spent = cpu(lambda: linked(game, rows[0]), seconds)
    plain = cpu(lambda: enumerated(probability, rows[0], known), seconds)
    worst = max(gap(linked(game, row), enumerated(probability, row, known).values[:, :, 0]) for row in rows[:4])
    yield (
        f"exact, 10 features, probability: {due:,} coalitions from the trees in {spent * 1e3:.0f} ms, the model asked "
        f"for each {plain * 1e3:,.0f} ms; largest gap over 4 rows {worst:.1e}"
    )


def linked(game: coalitions.Contest, row: FloatArray) -> FloatArray:
    """The matrix of the probability, from the values of all coalitions that the trees give."""
    features = game.players
    found, phi = np.zeros((features, features, 1)), np.zeros((features, 1))
    for weight, players, values in pairs.linked_values(game, row, links.LOGISTIC_PROBABILITY, np.array([1])):
        wide, tall = spread(*indices(values), players, features)
        found, phi = found + weight * wide, phi + weight * tall
    return exact(found, phi, np.zeros(1), 0).values[:, :, 0]


def black_box() -> Iterator[str]:
    """An MLP on 10 features: squared error and coverage of sampled interactions, by budget."""
    random = np.random.default_rng(2)
    x = random.normal(size=(1500, 10))
    fitted = MLPClassifier((32, 32), max_iter=600, random_state=0).fit(x, x[:, 0] * x[:, 1] + x[:, 2] > 0)

    def game(rows: FloatArray) -> FloatArray:
        return np.asarray(fitted.predict_proba(rows)[:, [1]])

    known = background(x[:40], "b" * 64)
    rows = x[-4:]
    exactly = [enumerated(game, row, known) for row in rows]
    off = ~np.eye(10, dtype=bool)
    for budget in (1 << 13, 1 << 15, 1 << 17):
        found = [[sampled(game, row, known, s, budget, CONFIDENCE) for s in range(SEEDS)] for row in rows]
        error, covered = _judged(exactly, found, off)
        told = f"error {error:.4f} of the squared interactions, {covered * 100:.1f} % of the 95 % intervals hold"
        yield f"sampled, MLP, 10 features, {budget:>7,} model rows: {told}"


def _judged(truths: list[Matrix], found: list[list[Matrix]], off: Any) -> tuple[float, float]:
    """Squared error over squared truth, and the share of pairs within the stated half-width."""
    z, errors, sizes, held = two_sided(CONFIDENCE), 0.0, 0.0, []
    for true, several in zip(truths, found, strict=True):
        for one in several:
            miss = (one.values - true.values)[off]
            errors += float((miss**2).sum())
            sizes += float((true.values[off] ** 2).sum())
            held.append(np.abs(miss) <= z * one.standard_errors[off])
    return errors / sizes, float(np.mean(held))


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print(description())
    for part in (trees(seconds), truth(seconds), black_box()):
        for told in part:
            print(told, flush=True)


if __name__ == "__main__":
    main()
