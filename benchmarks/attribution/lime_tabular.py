"""Our LIME beside the `lime` library in one run: same weights, time by stage, honest errors, stability.

Run: OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python -m benchmarks.attribution.lime_tabular
With MALLOC_MMAP_THRESHOLD_=268435456 MALLOC_TRIM_THRESHOLD_=536870912 as well, glibc keeps freed arrays in place of
handing every megabyte back to the system and faulting it in again. The library gains little from that, we a tenth.
(The module is not called `lime`: run as a script it would hide the library of that name.)
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np
from lime.lime_tabular import LimeTabularExplainer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from explainer.attribution.lime.neighbourhood import draw
from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.surrogate import Sample, fit, kernel
from explainer.attribution.maskers import background
from explainer.attribution.methods.lime import Lime, PreparedLime
from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Ask, Subject
from explainer.records import FloatArray

Model = Callable[[FloatArray], FloatArray]
ASK = Ask("probability", (1,), max_evaluations=5000)
REPEATS = 30


def models() -> tuple[FloatArray, dict[str, Model]]:
    """Breast cancer (569 rows, 30 numbers): a linear model without cost, an MLP, boosting, a forest."""
    data, target = load_breast_cancer(return_X_y=True)
    data = np.ascontiguousarray(data, dtype=np.float64)
    mlp = make_pipeline(StandardScaler(), MLPClassifier((32,), max_iter=400, random_state=0)).fit(data, target)
    boosted = HistGradientBoostingClassifier(max_iter=50, random_state=0).fit(data, target)
    forest = RandomForestClassifier(100, random_state=0).fit(data, target)
    effects = np.linspace(-1, 1, 30) / data.std(axis=0)

    def logistic(rows: FloatArray) -> FloatArray:
        p = 1 / (1 + np.exp(-(rows - data.mean(axis=0)) @ effects))
        return np.stack([1 - p, p], axis=1)

    return data, {
        "logistic, in numpy": logistic,
        "MLP (32)": mlp.predict_proba,
        "boosting, 50 trees": boosted.predict_proba,
        "forest, 100 trees": forest.predict_proba,
    }


def prepared(data: FloatArray, model: Model, point_cells: str) -> PreparedLime:
    opened = OpenedModel(model, "classification", 2, "benchmark", "1")
    names = tuple(f"x{j}" for j in range(data.shape[1]))
    subject = Subject(opened, "m", background(data, "b"), np.zeros(len(names), int), names, ((),) * len(names))
    return Lime(LimeOptions(point_cells=point_cells)).prepare(subject, ASK)  # type: ignore[arg-type]


def fastest(*works: Callable[[], object]) -> list[float]:
    """Milliseconds of processor time of the fastest of several runs of each, after one to warm up, taking turns.

    All run on one thread: processor time is then what they take on a machine that does nothing else.
    """
    best = [np.inf] * len(works)
    for turn in range(REPEATS + 1):
        for i, work in enumerate(works):
            begun = time.process_time()
            work()
            if turn:
                best[i] = min(best[i], (time.process_time() - begun) * 1e3)
    return best


def race(data: FloatArray, name: str, model: Model) -> None:
    row, ours = data[0], prepared(data, model, "library")
    library = LimeTabularExplainer(data, feature_selection="none", random_state=0)
    answer = ours.explain(row[None], [0], ASK)
    theirs = LimeTabularExplainer(data, feature_selection="none", random_state=0).explain_instance(row, model)
    weights = dict(theirs.local_exp[1])
    off = max(abs(answer.values[0, j, 0] - weights[j]) for j in range(len(row)))
    rows = draw(ours.space, row, 5000, np.random.RandomState(0), first=True).rows
    own, other, alone = fastest(
        lambda: ours.explain(row[None], [0], ASK),
        lambda: library.explain_instance(row, model, num_features=len(row)),
        lambda: model(rows),
    )
    print(
        f"{name:20} ours {own:6.1f} ms, library {other:6.1f} ms: {other / own:4.1f} times; of both the model takes "
        f"{alone:5.1f} ms, without it {(other - alone) / (own - alone):4.1f} times; largest difference {off:.0e}"
    )


def stages(data: FloatArray, model: Model) -> None:
    ours, row, random = prepared(data, model, "value"), data[0], np.random.RandomState(0)
    near = draw(ours.space, row, 5000, random, first=True)
    outputs, width = model(near.rows)[:, 1:], ours.options.width(30)
    sample = Sample(near.design, outputs, kernel(near.squared, width))
    parts = {
        "draw neighbours": lambda: draw(ours.space, row, 5000, random, first=True),
        "  of this, 300,000 random numbers": lambda: random.random_sample(300_000),
        "model": lambda: model(near.rows),
        "kernel": lambda: kernel(near.squared, width),
        "fit, errors, stability": lambda: fit(sample, 1.0, 1.96),
        "whole answer": lambda: ours.explain(row[None], [0], ASK),
    }
    for name, best in zip(parts, fastest(*parts.values()), strict=True):
        print(f"  {name:36}{best:6.2f} ms")


def honesty(data: FloatArray, name: str, model: Model, seeds: int = 100) -> None:
    ours = prepared(data, model, "value")
    found = ours.explain(np.repeat(data[:1], seeds, axis=0), list(range(seeds)), ASK)
    weights, errors = found.values[..., 0], found.standard_errors[..., 0]
    ratio = np.sqrt((errors**2).mean(axis=0)) / weights.std(axis=0, ddof=1)
    inside = (np.abs(weights - weights.mean(axis=0)) < 1.96 * errors).mean()
    first = np.argsort(-np.abs(weights), axis=1)[:, :5]
    overlap = np.mean([len(set(first[a]) & set(first[b])) / 5 for a, b in combinations(range(seeds), 2)])
    told = [report[0].stability for report in found.lime]
    print(
        f"{name:20} stated/seen error {ratio.min():.2f} to {ratio.max():.2f}, 95 % intervals cover {inside:.1%}; "
        f"top-five overlap between seeds {overlap:.2f}, stability told {np.mean(told):.2f} "
        f"(spread {np.std(told):.2f}); R2 {found.lime[0][0].local_r2:.2f}"
    )


def adaptive(data: FloatArray, name: str, model: Model) -> None:
    ours = prepared(data, model, "value")
    ask = Ask("probability", (1,))
    found = ours.explain(data[:40], list(range(40)), ask)
    codes = [notice.code for notices in found.notices for notice in notices]
    drawn, r2 = found.evaluations, np.array([report[0].local_r2 for report in found.lime])
    print(
        f"{name:20} samples {drawn.min():,} to {drawn.max():,}, median {np.median(drawn):,.0f}; "
        f"R2 median {np.median(r2):.2f}, lowest {r2.min():.2f}; notices "
        + ", ".join(f"{code} {codes.count(code)}" for code in sorted(set(codes)))
    )


def main() -> None:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("lime", "numpy", "scipy", "numba"))
    print(
        f"Python {platform.python_version()}, {versions}; one BLAS and OpenMP thread; "
        f"malloc thresholds {os.environ.get('MALLOC_MMAP_THRESHOLD_', 'as they come')}\n"
    )
    data, chosen = models()
    print("One explanation: 30 features, 5,000 samples, every feature kept by both. Processor time on one thread,")
    print(f"fastest of {REPEATS} runs that took turns")
    for name, model in chosen.items():
        race(data, name, model)
    print("\nStages of ours, MLP")
    stages(data, chosen["MLP (32)"])
    print("\nErrors and stability of one row over 100 seeds, 5,000 samples each")
    for name in list(chosen)[:3]:
        honesty(data, name, chosen[name])
    print("\nForty rows without a budget: 5,000 samples to begin with, up to 20,000 where unstable")
    for name in list(chosen)[:3]:
        adaptive(data, name, chosen[name])


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
