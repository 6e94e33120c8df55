"""Estimators of Shapley values as `sampling.py` compares them: ours, shap's and shapiq's, at a number of model rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.attribution.sampling_cells import BACKGROUND, Cell
from explainer.attribution.maskers import hybrids
from explainer.attribution.methods import paired, permutation
from explainer.attribution.model import BoolArray
from explainer.attribution.ports import Ask, Method
from explainer.records import FloatArray

Sampler = Callable[[Cell, int, int], FloatArray | None]  # cell, budget, seed; None: the budget is too small for it


def ours(*ladder: Method) -> Sampler:
    """The first of the methods that fits the row within the budget, as `auto` would choose."""

    def sample(of: Cell, budget: int, seed: int) -> FloatArray | None:
        ask = Ask("raw", (0,), max_evaluations=budget)
        found = []
        for i, row in enumerate(of.rows):
            fits = [m for m in ladder if m.suits(of.subject, ask, row).fits]
            if not fits:
                return None
            ready = fits[0].prepare(of.subject, ask)
            of.counted.rows -= BACKGROUND  # done once for all rows of a model
            found.append(ready.explain(row[None], [seed * 1000 + i], ask).values[0, :, 0])
        return np.stack(found)

    return sample


def shap_kernel(l1_reg: str | bool) -> Sampler:
    def sample(of: Cell, budget: int, seed: int) -> FloatArray:
        import shap

        np.random.seed(seed)
        explainer = shap.KernelExplainer(of.counted, of.subject.background.rows)
        found = explainer.shap_values(of.rows, nsamples=budget // BACKGROUND, l1_reg=l1_reg, silent=True)
        return np.asarray(found)

    return sample


def shap_permutation(of: Cell, budget: int, seed: int) -> FloatArray | None:
    import shap

    walk = 2 * of.rows.shape[1] + 1
    if budget < walk * BACKGROUND:
        return None
    masker = shap.maskers.Independent(of.subject.background.rows, max_samples=BACKGROUND)
    explainer = shap.PermutationExplainer(of.counted, masker, seed=seed)
    return np.asarray(explainer(of.rows, max_evals=budget // BACKGROUND, silent=True).values)


def shap_sampling(of: Cell, budget: int, seed: int) -> FloatArray:
    import shap

    np.random.seed(seed)
    explainer = shap.SamplingExplainer(of.counted, of.subject.background.rows)
    return np.asarray(explainer.shap_values(of.rows, nsamples=budget // 2, silent=True))


def shapiq(name: str, **settings: object) -> Sampler:
    """An approximator of shapiq on v(S) = mean over the background, each coalition once."""

    def sample(of: Cell, budget: int, seed: int) -> FloatArray | None:
        import shapiq.approximator

        kind = getattr(shapiq.approximator, name, None)
        if kind is None:
            return None
        found = []
        for row in of.rows:
            estimator = kind(n=len(row), random_state=seed, **settings)
            got = estimator.approximate(budget // BACKGROUND, _coalition_game(of, row))
            found.append(np.asarray(got.get_n_order_values(1)))
        return np.stack(found)

    return sample


def _coalition_game(of: Cell, row: FloatArray) -> Callable[[BoolArray], FloatArray]:
    baselines = of.subject.background.rows
    empty = of.counted.function(baselines).mean()

    def value(coalitions: BoolArray) -> FloatArray:
        known = np.repeat(np.atleast_2d(np.asarray(coalitions, dtype=bool)), len(baselines), axis=0)
        rows = hybrids(row, np.tile(baselines, (len(known) // len(baselines), 1)), known)
        return np.asarray(of.counted(rows).reshape(-1, len(baselines)).mean(axis=1) - empty)

    return value


OURS: dict[str, Sampler] = {
    "paired, else permutation": ours(paired.METHOD, permutation.METHOD),
    "permutation": ours(permutation.METHOD),
}
KERNEL, KERNEL_PLAIN = "shap.KernelExplainer as it comes", "shap.KernelExplainer, l1_reg off"
PEERS: dict[str, Sampler] = {
    KERNEL: shap_kernel("num_features(10)"),
    KERNEL_PLAIN: shap_kernel(False),
    "shap.PermutationExplainer": shap_permutation,
    "shap.SamplingExplainer": shap_sampling,
    "shapiq.KernelSHAP, paired": shapiq("KernelSHAP", pairing_trick=True),
    "shapiq.LeverageSHAP": shapiq("LeverageSHAP"),
    "shapiq.OddSHAP": shapiq("OddSHAP"),
    "shapiq.RegressionMSR": shapiq("RegressionMSR", index="SV"),
    "shapiq.PolySHAP": shapiq("PolySHAP"),
    "shapiq.kADDSHAP": shapiq("kADDSHAP", pairing_trick=True),
    "shapiq.SVARM": shapiq("SVARM", pairing_trick=True),
    "shapiq.UnbiasedKernelSHAP": shapiq("UnbiasedKernelSHAP", pairing_trick=True),
    "shapiq.PermutationSamplingSV": shapiq("PermutationSamplingSV"),
}
