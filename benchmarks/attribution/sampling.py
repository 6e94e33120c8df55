"""Squared error against exact Shapley values at equal numbers of model rows, and how often our intervals hold them.

Run: OMP_NUM_THREADS=1 python benchmarks/attribution/sampling.py    (about two minutes on one core)
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explainer.attribution.maskers import background, differs
from explainer.attribution.methods import exact, kernel, permutation
from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Ask, Method, Subject
from explainer.attribution.uncertainty import enough, two_sided
from explainer.attribution.walks import steps
from explainer.records import FloatArray

BACKGROUND = 50
ROWS = 4
SEEDS = 3
BUDGETS = (5_000, 20_000)


@dataclass
class Counted:
    """A function of one output that counts the rows it is asked for."""

    function: Callable[[FloatArray], FloatArray]
    rows: int = 0

    def __call__(self, x: FloatArray) -> FloatArray:
        x = np.asarray(x, dtype=np.float64)
        self.rows += len(x)
        return self.function(x)


@dataclass(frozen=True)
class Case:
    name: str
    counted: Counted
    subject: Subject
    rows: FloatArray
    truth: FloatArray  # (rows, features)


ASK = Ask("raw", (0,))


def case(name: str, function: Callable[[FloatArray], FloatArray], data: FloatArray) -> Case:
    counted = Counted(function)
    model = OpenedModel(lambda x: counted(x)[:, None], "regression", 1, "scikit-learn", "1")
    against = background(data[:BACKGROUND], "b")
    d = data.shape[1]
    subject = Subject(model, "m", against, np.zeros(d, dtype=np.int64), tuple(map(str, range(d))), ((),) * d)
    rows = data[-ROWS:]
    truth = exact.METHOD.prepare(subject, ASK).explain(rows, [0] * ROWS, ASK).values[:, :, 0]
    return Case(name, counted, subject, rows, truth)


def cases() -> list[Case]:
    from sklearn.datasets import load_diabetes, load_wine
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import scale
    from sklearn.svm import SVC

    wine, kind = load_wine(return_X_y=True)
    diabetes, progress = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0)
    wine, kind = _shuffled(scale(wine), kind, order)
    diabetes, progress = _shuffled(scale(diabetes), progress, order)
    mlp = MLPClassifier((32, 32), max_iter=500, random_state=0).fit(wine, kind)
    svc = SVC(C=3.0).fit(diabetes, progress > np.median(progress))
    return [
        case("MLP, wine, 13 features, probability", lambda x: mlp.predict_proba(x)[:, 1], wine),
        case("SVC, diabetes, 10 features, decision value", svc.decision_function, diabetes),
    ]


def _shuffled(x: FloatArray, y: FloatArray, order: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    places = order.permutation(len(x))
    return x[places], y[places]


Sampler = Callable[[Case, int, int], FloatArray | None]  # None: the budget is too small for it


def ours(method: Method) -> Sampler:
    def sample(of: Case, budget: int, seed: int) -> FloatArray | None:
        ask = Ask("raw", (0,), max_evaluations=budget)
        if not all(method.suits(of.subject, ask, row).fits for row in of.rows):
            return None
        ready = method.prepare(of.subject, ask)
        of.counted.rows = 0
        return ready.explain(of.rows, [seed * 1000 + i for i in range(ROWS)], ask).values[:, :, 0]

    return sample


def shap_kernel(l1_reg: str | bool) -> Sampler:
    def sample(of: Case, budget: int, seed: int) -> FloatArray:
        import shap

        np.random.seed(seed)
        explainer = shap.KernelExplainer(of.counted, of.subject.background.rows)
        of.counted.rows = 0
        found = explainer.shap_values(of.rows, nsamples=budget // BACKGROUND, l1_reg=l1_reg, silent=True)
        return np.asarray(found)

    return sample


def shap_permutation(of: Case, budget: int, seed: int) -> FloatArray:
    import shap

    masker = shap.maskers.Independent(of.subject.background.rows, max_samples=BACKGROUND)
    explainer = shap.PermutationExplainer(of.counted, masker, seed=seed)
    walk = 2 * of.rows.shape[1] + 1
    of.counted.rows = 0
    found = explainer(of.rows, max_evals=max(budget // BACKGROUND, walk), silent=True)
    return np.asarray(found.values)


def shap_sampling(of: Case, budget: int, seed: int) -> FloatArray:
    import shap

    np.random.seed(seed)
    explainer = shap.SamplingExplainer(of.counted, of.subject.background.rows)
    of.counted.rows = 0
    return np.asarray(explainer.shap_values(of.rows, nsamples=budget // 2, silent=True))


SAMPLERS: dict[str, Sampler] = {
    "permutation (ours)": ours(permutation.METHOD),
    "kernel (ours, shap inside)": ours(kernel.METHOD),
    "shap.KernelExplainer as it comes": shap_kernel("num_features(10)"),
    "shap.KernelExplainer, l1_reg off": shap_kernel(False),
    "shap.PermutationExplainer": shap_permutation,
    "shap.SamplingExplainer": shap_sampling,
}


def compare(of: Case) -> None:
    print(f"\n{of.name}; background {BACKGROUND}, {ROWS} rows, {SEEDS} seeds")
    print(f"{'method':34s} {'budget':>8s} {'model rows':>10s} {'squared error':>14s} {'of ours':>8s} {'ms a row':>9s}")
    for budget in BUDGETS:
        ours_error = 0.0
        for name, sampler in SAMPLERS.items():
            sampler(of, budget, 0)  # imports and compiles
            errors, spent, began = [], [], time.perf_counter()
            for seed in range(SEEDS):
                found = sampler(of, budget, seed)
                if found is not None:
                    errors.append(((found - of.truth) ** 2).sum() / (of.truth**2).sum())
                    spent.append(of.counted.rows / ROWS)
            if not errors:
                print(f"{name:34s} {budget:8,d} {'the budget is too small':>34s}")
                continue
            took = (time.perf_counter() - began) / SEEDS / ROWS * 1000
            error = float(np.mean(errors))
            ours_error = ours_error or error
            times = error / ours_error
            print(f"{name:34s} {budget:8,d} {np.mean(spent):10,.0f} {error:14.2e} {times:7.1f}x {took:9.1f}")


def coverage(of: Case) -> None:
    """Intervals at 95 % over 40 seeds a row, for the fewest passes whose error is trusted and for the usual number."""
    ready = permutation.METHOD.prepare(of.subject, ASK)
    fewest = enough(len(of.subject.background.rows))
    longest = max(steps(differs(row, of.subject.background.rows)) for row in of.rows)
    for name, passes in (("the fewest passes", fewest), ("the usual passes", permutation.USUAL * fewest)):
        held, missed, error = [], [], []
        ask = Ask("raw", (0,), max_evaluations=1 + passes * longest)
        for seed in range(40):
            got = ready.explain(of.rows, [seed * 1000 + i for i in range(ROWS)], ask)
            off, stated = np.abs(got.values[:, :, 0] - of.truth), got.standard_errors[:, :, 0]
            held.append((off <= two_sided(0.95) * stated + 1e-12).mean())
            missed.append((off > 3 * stated + 1e-12).mean())
            error.append(off.sum() / np.abs(of.truth).sum())
        print(
            f"{of.name}: {name} ({passes}), {got.evaluations.mean():,.0f} model rows: coverage {np.mean(held):.3f}, "
            f"beyond three errors {np.mean(missed):.4f}, summed absolute error {np.mean(error):.4f} of the values"
        )


def main() -> None:
    logging.getLogger("shap").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    import shap

    print(f"shap {shap.__version__}, numpy {np.__version__}")
    found = cases()
    for of in found:
        compare(of)
    print("\nHow often the intervals of `permutation` hold the exact values (0.95 is due)")
    for of in found:
        coverage(of)


if __name__ == "__main__":
    main()
