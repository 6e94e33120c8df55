"""Squared error of sampled probabilities of boosted trees at equal numbers of coalitions, with and without the trees.

`tree_sampled` takes what the trees tell exactly out of the game; `paired` and `permutation` see the model alone.
Models of 30 and 60 features, too many to enumerate; values that count as true come from a long run of `tree_sampled`,
whose own error is below a tenth of what it judges unless the line says otherwise.
Run: OMP_NUM_THREADS=1 python -m benchmarks.attribution.sampling_boosted. About two minutes on one core.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np

from benchmarks.attribution.sampling_cells import BACKGROUND, ROWS, table
from explainer.attribution.maskers import background
from explainer.attribution.methods import paired, permutation, tree_sampled
from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Ask, Method, Subject
from explainer.attribution.uncertainty import two_sided
from explainer.formats.structure import trees_sklearn, trees_xgboost
from explainer.records import FloatArray

SEEDS = 12
LONG = 150
ROUNDS = (2.25, 4, 8, 16)
CELLS = ("cancer xgboost", "cancer gradient", "wide xgboost", "wide histogram")


def cell(name: str) -> tuple[Subject, FloatArray]:
    data, kind = name.split()
    x, y = table(data)
    d = x.shape[1]
    model, trees = fitted(kind, x[:-40], y[:-40])
    opened = OpenedModel(model.predict_proba, "classification", 2, kind, "1", link="logistic", trees=trees)
    names = tuple(map(str, range(d)))
    against = background(x[:BACKGROUND], "b")
    return Subject(opened, "m", against, np.zeros(d, dtype=np.int64), names, ((),) * d), x[-ROWS:]


def fitted(kind: str, x: FloatArray, y: FloatArray) -> tuple[Any, Any]:
    if kind == "xgboost":
        from xgboost import XGBClassifier

        model = XGBClassifier(n_estimators=100, max_depth=6, n_jobs=1, random_state=0).fit(x, y)
        return model, _read(trees_xgboost.read(model.get_booster()))
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

    kinds = {
        "gradient": GradientBoostingClassifier(n_estimators=100, max_depth=4, random_state=0),
        "histogram": HistGradientBoostingClassifier(max_iter=100, random_state=0),
    }
    model = kinds[kind].fit(x, y)
    return model, _read(trees_sklearn.read(model))


def _read(found: Any) -> Any:
    return found[0] if isinstance(found, tuple) else found


def judged(method: Method, of: Subject, rows: FloatArray, ask: Ask, truth: FloatArray) -> tuple[float, float, float]:
    """Squared error as a share of the truth's square, coverage of 95 % intervals, and milliseconds a row."""
    ready = method.prepare(of, ask)
    ready.explain(rows[:1], [0], ask)
    errors, held, began = [], [], time.perf_counter()
    for seed in range(SEEDS):
        got = ready.explain(rows, [seed * 1000 + i for i in range(ROWS)], ask)
        errors.append(((got.values - truth) ** 2).sum() / (truth**2).sum())
        held.append((np.abs(got.values - truth) <= two_sided(0.95) * got.standard_errors + 1e-12).mean())
    return float(np.mean(errors)), float(np.mean(held)), (time.perf_counter() - began) / SEEDS / ROWS * 1000


def main() -> None:
    warnings.simplefilter("ignore")
    methods = (tree_sampled.METHOD, paired.METHOD, permutation.METHOD)
    print(f"background {BACKGROUND}, {ROWS} rows, {SEEDS} seeds; error, coverage, ms a row; errors over tree_sampled's")
    ratios, covers = [], []
    for name in CELLS:
        of, rows = cell(name)
        price = 2 * (rows.shape[1] - 1) * BACKGROUND
        ask = Ask("probability", (1,), max_evaluations=1 + LONG * price)
        long = tree_sampled.METHOD.prepare(of, ask).explain(rows, [10**6 + i for i in range(ROWS)], ask)
        doubt = float((long.standard_errors**2).sum() / (long.values**2).sum())
        for rounds in ROUNDS:
            ask = Ask("probability", (1,), max_evaluations=2 + int(rounds * price))
            found = [judged(method, of, rows, ask, long.values) for method in methods]
            ratios.append(found[1][0] / found[0][0])
            covers.append(found[0][1])
            told = "  ".join(
                f"{m.name} {e:.1e} {c:.3f} {t:4.0f} ms" for m, (e, c, t) in zip(methods, found, strict=True)
            )
            over = ", ".join(f"{f[0] / found[0][0]:.2f}" for f in found[1:])
            print(f"{name:16s} {ask.max_evaluations:7,d}  {told}  {over}" + " (truth!)" * (doubt > found[0][0] / 10))
    print(f"paired over tree_sampled: median {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    print(f"coverage of tree_sampled: mean {np.mean(covers):.3f}, from {min(covers):.3f} to {max(covers):.3f}")


if __name__ == "__main__":
    main()
