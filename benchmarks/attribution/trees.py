"""Exact tree values: this engine beside shap, XGBoost's own, and woodelf-explainer where it is installed.

`python -m benchmarks.attribution.trees [seconds per cell]`. Times are CPU seconds of one thread (a busy machine
stretches them less than wall time), the best of several runs; every peer gets the whole background. Agreement is the
largest difference from the peer over the largest value.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import shap
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from benchmarks.machine import description
from explainer.attribution.model import Trees
from explainer.attribution.trees import attribute, coalitions, links, path
from explainer.formats.structure import trees_sklearn, trees_xgboost
from explainer.records import FloatArray

FEATURES = 30
BATCH = 10_000
Work = Callable[[], object]


def cpu(work: Work, seconds: float) -> float:
    """The shortest CPU time of one call, called again until `seconds` are gone."""
    best, began = np.inf, time.perf_counter()
    while True:
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
        if time.perf_counter() - began > seconds:
            return float(best)


def data(rows: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(rows, FEATURES)).astype(np.float32).astype(float)


def target(x: FloatArray) -> FloatArray:
    noise = np.random.default_rng(1).normal(size=len(x))
    return np.asarray(x[:, 0] * x[:, 1] + x[:, 2:8].sum(axis=1) + np.sin(x[:, 8:].sum(axis=1)) + noise)


def booster() -> tuple[Any, Trees]:
    x = data(20_000)
    y = (target(x) > 0).astype(int)
    settings = {"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "nthread": 1}
    model = xgboost.train(settings, xgboost.DMatrix(x, label=y), 100)
    found = trees_xgboost.read(model)
    assert found is not None
    return model, found[0]


def ready(trees: Trees, against: FloatArray) -> attribute.Prepared:
    weights = np.full(len(against), 1 / len(against))
    return attribute.prepare(trees, np.arange(FEATURES), FEATURES, against, weights)


def explainer(model: Any, against: FloatArray) -> Any:
    return shap.TreeExplainer(model, shap.maskers.Independent(against, max_samples=len(against)))


def line(what: str, ours: float, peers: dict[str, float], note: str = "") -> str:
    told = ", ".join(f"{name} {value * 1e3:,.3f} ms ({value / ours:,.1f}x)" for name, value in peers.items())
    return f"{what:58} {ours * 1e3:10,.3f} ms | {told}{note}"


def one_row(model: Any, trees: Trees, seconds: float) -> Iterator[str]:
    rows = data(200, seed=2)
    for size in (100, 1000):
        against = data(size)
        prepared, peer = ready(trees, against), explainer(model, against)
        turn = iter(range(10**9))
        ours = cpu(lambda p=prepared, t=turn: attribute.attribute(p, rows[(i := next(t) % 200) : i + 1]), seconds)
        theirs = cpu(lambda e=peer: e.shap_values(rows[:1]), seconds)
        truth = peer.shap_values(rows[:20])
        gap = np.abs(attribute.attribute(prepared, rows[:20])[:, :, 0] - truth).max() / np.abs(truth).max()
        yield line(f"one row, background {size}", ours, {"shap": theirs}, f"; agreement {gap:.1e}")


def many_rows(model: Any, trees: Trees, seconds: float) -> Iterator[str]:
    rows = data(BATCH, seed=2)
    for size in (100, 1000):
        against = data(size)
        ours = cpu(lambda a=against: attribute.attribute(ready(trees, a), rows), seconds)
        few = explainer(model, against)
        peers = {"shap (from 20 rows)": cpu(lambda e=few: e.shap_values(rows[:20]), seconds) * BATCH / 20}
        if importlib.util.find_spec("woodelf"):
            peers["woodelf"] = cpu(lambda a=against: _woodelf(model, a, rows), seconds)
        yield line(f"{BATCH:,} rows, preparation included, background {size}", ours, peers)


def _woodelf(model: Any, against: FloatArray, rows: FloatArray) -> object:
    import pandas as pd
    from woodelf import WoodelfExplainer

    names = [f"f{i}" for i in range(FEATURES)]
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        peer = WoodelfExplainer(model, pd.DataFrame(against, columns=names))
        return peer.shap_values(pd.DataFrame(rows, columns=names))


def path_dependent(model: Any, trees: Trees, seconds: float) -> Iterator[str]:
    rows = data(BATCH, seed=2)
    given = xgboost.DMatrix(rows)
    ours = cpu(lambda: path.attribute_path(path.prepare(trees, np.arange(FEATURES), FEATURES), rows), seconds)
    theirs = cpu(lambda: model.predict(given, pred_contribs=True), seconds)
    truth = model.predict(given, pred_contribs=True)[:, :-1]
    found = path.attribute_path(path.prepare(trees, np.arange(FEATURES), FEATURES), rows)[:, :, 0]
    gap = np.abs(found - truth).max() / np.abs(truth).max()
    what = f"path-dependent, {BATCH:,} rows, preparation included"
    yield line(what, ours, {"xgboost native": theirs}, f"; agreement {gap:.1e}")


def other_forests(seconds: float) -> Iterator[str]:
    x = data(3000)
    y, rows = target(x), data(40, seed=2)
    models = {
        "HistGradientBoosting 100 x 31 leaves": HistGradientBoostingRegressor(max_iter=100),
        "RandomForest 50, depth 10": RandomForestRegressor(50, max_depth=10, random_state=0),
        "RandomForest 50, full depth": RandomForestRegressor(50, random_state=0),
    }
    for name, model in models.items():
        found = trees_sklearn.read(model.fit(x, y))
        assert found is not None
        for size in (100, 1000):
            prepared, peer = ready(found[0], x[:size]), explainer(model, x[:size])
            ours = cpu(lambda p=prepared: attribute.attribute(p, rows), seconds) / len(rows)
            theirs = cpu(lambda e=peer: e.shap_values(rows[:4], check_additivity=False), seconds) / 4
            yield line(f"{name}, background {size}, a row", ours, {"shap": theirs})


def probability(model: Any, trees: Trees, seconds: float) -> Iterator[str]:
    """14 features in which the row differs from each of 50 background rows; shap's values are approximate here."""
    against, row = data(50), data(1, seed=3)
    against[:, 14:] = row[0, 14:]
    game = coalitions.contest(trees, np.arange(FEATURES), FEATURES, against, np.full(50, 0.02))
    asked = np.array([1])
    due = coalitions.cost(game, row[0], 1 << 30)
    spent = cpu(lambda: coalitions.attribute(game, row, links.LOGISTIC_PROBABILITY, asked), seconds)
    told = f"{due:,} coalitions in {spent * 1e3:,.2f} ms ({spent / due * 1e9:.1f} ns each)"
    masker = shap.maskers.Independent(against, max_samples=len(against))
    peer = shap.TreeExplainer(model, masker, model_output="probability")
    theirs = cpu(lambda: peer.shap_values(row), seconds)
    exact = coalitions.attribute(game, row, links.LOGISTIC_PROBABILITY, asked)[0][0, :, 0]
    off = np.abs(np.asarray(peer.shap_values(row)).reshape(-1) - exact).sum() / np.abs(exact).sum()
    yield f"probability, exact: {told} | shap {theirs * 1e3:,.2f} ms, off by {off:.1%}"


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print(description())
    model, trees = booster()
    leaves = int((trees.left < 0).sum())
    print(f"XGBoost, 100 trees of depth 6, {leaves:,} leaves, {FEATURES} features; ours | peers (times ours)")
    for part in (one_row, many_rows, path_dependent, probability):
        for told in part(model, trees, seconds):
            print(told, flush=True)
    for told in other_forests(seconds):
        print(told, flush=True)


if __name__ == "__main__":
    main()
