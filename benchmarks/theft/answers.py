"""What a model answers to an attacker's rows: margins and attributions in log odds, kept between runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explainer.attribution.model import IntArray
from explainer.records import ExplainOptions, FloatArray
from explainer.registry.candidate import check_folder
from explainer.workers.opening import open_version

THRESHOLD = 0.4  # of the demo's decision
EVALUATIONS = 6000  # for each row of a model that has to be sampled


@dataclass(frozen=True, slots=True)
class Pool:
    """Rows (n, features), margins (n,), attributions (n, features) or None where none were asked for.

    `kinds` is the number of categories of each feature, 0 for numbers; `cut` the margin from which on a loan is bad.
    """

    rows: FloatArray
    margins: FloatArray
    attributions: FloatArray | None
    kinds: tuple[int, ...]
    cut: float

    def part(self, chosen: IntArray) -> Pool:
        given = None if self.attributions is None else self.attributions[chosen]
        return Pool(self.rows[chosen], self.margins[chosen], given, self.kinds, self.cut)


def pool(folder: Path, asked: int, held_out: int, kept: Path, seed: int = 0) -> tuple[Pool, Pool]:
    """What an attacker may ask (explained) and what the clone is judged by (predicted); computed once, then read."""
    file = kept / f"{folder.name}-{asked}-{held_out}-{seed}.npz"
    order = check_folder(folder, None).order()
    kinds = tuple(2 if f.type == "boolean" else len(f.categories) for f in order.manifest.features)
    cut = float(np.log(THRESHOLD / (1 - THRESHOLD)))
    if not file.exists():
        served, rng = open_version(order), np.random.default_rng(seed)
        rows, others = mixed(order.background, asked, rng), mixed(order.background, held_out, rng)
        wanted = ExplainOptions(output="log_odds", max_evaluations=EVALUATIONS)
        told = [e for (e,) in served.explain(rows, wanted)]
        bad = order.manifest.classes.index(str(order.manifest.positive_class))
        p = np.clip(served.predict(others)[:, bad], 1e-9, 1 - 1e-9)
        kept.mkdir(parents=True, exist_ok=True)
        np.savez(
            file,
            rows=rows,
            margins=np.array([e.prediction for e in told]),
            attributions=np.array([e.attributions for e in told]),
            others=others,
            judged=np.log(p / (1 - p)),
        )
    with np.load(file) as found:
        first = Pool(found["rows"], found["margins"], found["attributions"], kinds, cut)
        return first, Pool(found["others"], found["judged"], None, kinds, cut)


def mixed(background: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Rows of real-looking people: each takes about half of its cells from one background row, half from another."""
    pairs = rng.integers(len(background), size=(2, count))
    first, second = background[pairs[0]], background[pairs[1]]
    return np.asarray(np.where(rng.random(first.shape) < rng.random((count, 1)), first, second), dtype=np.float64)
