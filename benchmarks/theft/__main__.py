"""`python -m benchmarks theft`: clones of the demo models by what their answers show, and what the meter sees of it.

Each attacker knows the policy and the budget, asks with rows that look like people's, and chooses among its clones the
one that agrees best with a quarter of the answers. About half an hour on two cores; THEFT_FOLDER keeps models and
answers for the next run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.theft.answers import Pool, pool
from benchmarks.theft.clones import Shown, agreement, stolen
from explainer.access.budgets import USUAL
from explainer.demo.build import main as build
from explainer.disclosure.levels import POLICIES
from explainer.monitoring.extraction import Basis, Tally
from explainer.monitoring.extraction import agreement as estimate
from explainer.records import FloatArray

MODELS = ("credit-gbm", "credit-xgb", "credit-mlp")
ASKED, HELD_OUT = 6000, 2000
POINTS = (100, 300, 1000, 5000)  # rows asked; the last is what an application may ask of one version
SEEDS = range(10)
BACKGROUND = 100  # rows of which the meter knows the spread
CASES: dict[str, tuple[Shown, bool]] = {
    "decisions only": ("nothing", False),
    "scores only": ("nothing", True),
    "scores, reasons": ("reasons", True),
    "scores, rounded to 0.05": ("rounded", True),
    "scores, every digit": ("full", True),
}


def main() -> int:
    warnings.filterwarnings("ignore")
    policy, budget = POLICIES["application"], USUAL["application"].distinct_version
    assert (policy.detail, policy.prediction, budget) == ("reasons", "full", POINTS[-1])
    sys.stdout.write(f"agreement with the model on {HELD_OUT} held-out rows, in %, mean of {len(SEEDS)} seeds\n")
    sys.stdout.write(f"default policy of an application: scores and {policy.most} reasons, {budget} distinct rows\n")
    kept = Path(os.environ.get("THEFT_FOLDER") or tempfile.mkdtemp(prefix="theft-"))
    build([str(kept / "models"), "--missing"])
    for name in MODELS:
        folder = kept / "models" / name
        asked, judged = pool(folder, ASKED, HELD_OUT, kept)
        bad = np.mean(judged.margins > judged.cut)
        sys.stdout.write(f"\n{name}: {100 * max(bad, 1 - bad):.1f} % are of the larger class\n")
        for line in curve(asked, judged, int(policy.most or 0)):
            sys.stdout.write(line)
            sys.stdout.flush()
    return 0


def curve(asked: Pool, judged: Pool, top: int) -> Iterator[str]:
    basis = Basis(judged.rows[:BACKGROUND], asked.kinds)
    held_out = (judged.rows[BACKGROUND:], judged.margins[BACKGROUND:] - judged.cut)
    yield f"{'rows':>6} {'meter':>6} " + " ".join(f"{case:>24}" for case in CASES) + f" {'reasons give':>16}\n"
    for count in POINTS:
        found: dict[str, list[float]] = {case: [] for case in CASES}
        metered = []
        for seed in SEEDS:
            told = asked.part(np.random.default_rng(seed).permutation(len(asked.rows))[:count])
            tally = Tally.empty(basis(told.rows[:1]).shape[1])
            tally.hear(basis, told.rows, told.margins - told.cut)
            metered.append(100 * estimate(tally, basis, *held_out))
            for case, (shown, scores) in CASES.items():
                found[case].append(100 * agreement(stolen(told, shown, scores, top), judged))
        means = {case: np.array(values) for case, values in found.items()}
        gain = means["scores, reasons"] - means["scores only"]
        yield (
            f"{count:6} {np.mean(metered):6.1f} "
            + " ".join(f"{values.mean():24.1f}" for values in means.values())
            + _spread(gain)
        )


def _spread(gain: FloatArray) -> str:
    return f" {gain.mean():+9.2f} +-{gain.std(ddof=1) / len(gain) ** 0.5:.2f}\n"


if __name__ == "__main__":
    raise SystemExit(main())
