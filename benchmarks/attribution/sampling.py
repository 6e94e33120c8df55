"""Squared error of sampled Shapley values at equal numbers of model rows, ours against shap and shapiq, and coverage.

Run: OMP_NUM_THREADS=1 python -m benchmarks.attribution.sampling [errors] [coverage] [overhead]
About twelve minutes on one core. shapiq is optional; its LeverageSHAP, OddSHAP, PolySHAP and RegressionMSR need Python
3.12, and RegressionMSR needs xgboost.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from math import ceil, sqrt

import numpy as np

from benchmarks.attribution.sampling_cells import BACKGROUND, ROWS, SEEN, UNSEEN, Cell, cell
from benchmarks.attribution.sampling_peers import KERNEL, KERNEL_PLAIN, OURS, PEERS, Sampler
from explainer.attribution.methods import paired, permutation
from explainer.attribution.ports import Ask, Method
from explainer.attribution.uncertainty import two_sided
from explainer.attribution.walks import steps

SEEDS = 3
BUDGETS = {13: (2_500, 5_000, 20_000), 30: (5_000, 10_000, 30_000), 60: (10_000, 20_000, 50_000)}
OURSELF, OLD = OURS


def budgets(of: Cell) -> tuple[int, ...]:
    return next(given for most, given in BUDGETS.items() if of.rows.shape[1] <= most)


def measured(of: Cell, budget: int, sampler: Sampler) -> tuple[list[float], float] | None:
    """Squared errors as shares of the truth's square, one for each seed, and model rows for each explained row."""
    errors = []
    of.counted.rows = 0
    for seed in range(SEEDS):
        found = sampler(of, budget, seed)
        if found is None:
            return None
        errors.append(float(((found - of.truth) ** 2).sum() / (of.truth**2).sum()))
    return errors, of.counted.rows / SEEDS / ROWS


def compare(of: Cell, verbose: bool) -> list[dict[str, float]]:
    """For each budget the peers' errors over ours."""
    ratios = []
    for budget in budgets(of):
        errors: dict[str, float] = {}
        noise = 0.0
        for name, sampler in {**OURS, **PEERS}.items():
            try:
                got = measured(of, budget, sampler)
            except Exception as problem:  # noqa: BLE001  a peer that fails is reported and passed over
                print(f"    {name}: {type(problem).__name__}: {str(problem)[:80]}")
                continue
            if got is None:
                continue
            errors[name] = float(np.mean(got[0]))
            if verbose:
                print(f"    {name:34s} {budget:7,d} {got[1]:9,.0f} rows  {errors[name]:.2e}")
            if name == OURSELF:
                noise = float(np.std(got[0], ddof=1) / sqrt(SEEDS)) / errors[name]
        best = min((n for n in errors if n in PEERS), key=errors.__getitem__)
        mine = errors[OURSELF]
        found = {n: e / mine for n, e in errors.items()}
        print(
            f"{of.name:28s} {budget:7,d} {mine:9.2e} ±{noise:3.0%} {errors[OLD] / mine:6.1f}x {found[KERNEL]:8.1f}x "
            f"{found[KERNEL_PLAIN]:8.1f}x {found[best]:6.1f}x {best}" + (" (truth!)" if of.doubt > mine / 10 else ""),
            flush=True,
        )
        ratios.append({"old": found[OLD], "kernel": found[KERNEL], "plain": found[KERNEL_PLAIN], "best": found[best]})
    return ratios


def errors_of(names: tuple[str, ...], verbose: bool) -> list[dict[str, float]]:
    found = []
    for name in names:
        found += compare(cell(name), verbose)
    for key, text in (
        ("best", "best peer of the cell"),
        ("kernel", KERNEL),
        ("plain", KERNEL_PLAIN),
        ("old", "permutation (ours)"),
    ):
        values = np.array([ratio[key] for ratio in found])
        print(f"  error of {text} over ours: median {np.median(values):.1f}, worst cell {values.min():.2f}")
    return found


def coverage(names: tuple[str, ...]) -> None:
    """Intervals at 95 % over 20 seeds and ROWS rows, where the truth is exact, for several numbers of rounds."""
    every = []
    for name in names:
        of = cell(name)
        if of.doubt:
            continue
        longest = max(steps(of.subject.background.rows != row) for row in of.rows)
        shares = []
        for rounds in (2.25, 3, 4, 6, 10, 16):
            ask = Ask("raw", (0,), max_evaluations=1 + ceil(rounds * longest))
            ready = paired.METHOD.prepare(of.subject, ask)
            held = []
            for seed in range(20):
                got = ready.explain(of.rows, [seed * 1000 + i for i in range(ROWS)], ask)
                off = np.abs(got.values[:, :, 0] - of.truth)
                held.append((off <= two_sided(0.95) * got.standard_errors[:, :, 0] + 1e-9).mean())
            shares.append(float(np.mean(held)))
        every += shares
        print(
            f"{of.name:28s} coverage with 2.25, 3, 4, 6, 10, 16 rounds: {'  '.join(f'{s:.3f}' for s in shares)}",
            flush=True,
        )
    print(f"  all: {np.mean(every):.3f}, from {min(every):.3f} to {max(every):.3f}")


def overhead(hidden: tuple[int, ...], method: Method) -> None:
    """Time outside the model at about 10,000 evaluations, breast cancer, 30 features; medians of nine."""
    from sklearn.neural_network import MLPClassifier

    of = cell("cancer mlp")
    spent = [0.0]
    network = MLPClassifier(hidden, max_iter=200, random_state=0).fit(of.subject.background.rows, np.arange(50) % 2)

    def timed(x: np.ndarray) -> np.ndarray:
        began = time.perf_counter()
        answer = network.predict_proba(x)[:, 1]
        spent[0] += time.perf_counter() - began
        return np.asarray(answer)

    of.counted.function = timed
    ask = Ask("raw", (0,), max_evaluations=11_700)
    ready = method.prepare(of.subject, ask)
    ready.explain(of.rows[:1], [0], ask)
    times = []
    for seed in range(9):
        spent[0], began = 0.0, time.perf_counter()
        ready.explain(of.rows[:1], [seed], ask)
        times.append((spent[0], time.perf_counter() - began - spent[0]))
    inside, outside = np.median(np.array(times), axis=0) * 1000
    print(f"MLP {hidden}: {method.name}: model {inside:.1f} ms, outside {outside:.1f} ms, {outside / inside:.0%}")


def main() -> None:
    logging.getLogger("shap").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")] or ["errors", "coverage", "overhead"]
    for package in ("shap", "shapiq", "numpy", "scikit-learn"):
        try:
            print(package, version(package), end="  ")
        except PackageNotFoundError:
            print(package, "is not installed", end="  ")
    print(f"background {BACKGROUND}, {ROWS} rows, {SEEDS} seeds")
    if "errors" in wanted:
        header = ("cell", "budget", "our error", "noise", "perm.", "kernel", "l1 off", "best peer")
        print("{:28s} {:>7s} {:>9s} {:>4s} {:>7s} {:>9s} {:>9s} {:>7s}".format(*header))
        print("Seen while the estimator was made")
        found = errors_of(SEEN, "-v" in sys.argv)
        print("Looked at only at the end")
        found += errors_of(UNSEEN, "-v" in sys.argv)
        best = np.array([ratio["best"] for ratio in found])
        kernel = np.array([ratio["kernel"] for ratio in found])
        print(f"All: best peer over ours {np.median(best):.1f}, kernel over ours {np.median(kernel):.1f} (medians)")
    if "coverage" in wanted:
        coverage(SEEN + UNSEEN)
    if "overhead" in wanted:
        for hidden in ((32, 32), (100,), (100, 100)):
            overhead(hidden, paired.METHOD)
            overhead(hidden, permutation.METHOD)


if __name__ == "__main__":
    main()
