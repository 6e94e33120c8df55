"""`python -m benchmarks vetting`: scaffolds, tampered backgrounds and foreign rows against honest ones; 20 minutes.

Seeds below 100 were looked at when the thresholds were chosen; those measured here were not.
"""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from statistics import mean

from benchmarks.vetting import models, tampering
from explainer.attribution.vetting.scaffold import gaps
from explainer.demo.datasets import Dataset, diabetes, german_credit

SEEDS = range(100, 120)
MANY = range(100, 200)  # of what is cheap
DATA: tuple[Callable[[], Dataset], ...] = (german_credit, diabetes)
SCAFFOLDS = ("mixtures", "drawn apart", "both")

Line = tuple[str, str, str, dict[str, float]]  # what is measured, data set, case, figures


def main() -> int:
    warnings.filterwarnings("ignore")  # networks that have not converged are as good as any here
    sys.stdout.write(table(measured(SEEDS, MANY)))
    return 0


def measured(seeds: Iterable[int], many: Iterable[int]) -> Iterator[Line]:
    for data in (make() for make in DATA):
        for seed in seeds:
            yield from _models(data, seed)
        for seed in many:
            at = models.split(data, seed)
            for name, flagged in tampering.backgrounds(at).items():
                yield "background", data.name, name, {"flagged": float(flagged)}
            for name, share in tampering.rows(at).items():
                yield "rows", data.name, name, {"flagged": share}


def _models(data: Dataset, seed: int) -> Iterator[Line]:
    at = models.split(data, seed)
    honest = {("honest", name): predict for name, predict in models.honest(at).items()}
    scaffolds = {("scaffold", against): models.scaffold(at, against) for against in SCAFFOLDS}
    for (what, name), predict in (honest | scaffolds).items():
        found = gaps(predict, at.background, at.golden, at.kinds, seed=seed)
        flagged, by_heart = any(g.suspicious for g in found), any(g.by_heart for g in found)
        widest = max(g.background for g in found)
        figures = {"flagged": float(flagged), "by heart": float(by_heart and not flagged), "widest gap": widest}
        yield what, data.name, name, figures


def table(lines: Iterable[Line]) -> str:
    """A line of means for each case, and one for all of a kind."""
    cases: dict[tuple[str, str, str], list[dict[str, float]]] = defaultdict(list)
    for what, data, case, figures in lines:
        cases[what, data, case].append(figures)
        if what in ("honest", "scaffold"):
            cases[what, "all", "all"].append(figures)
    told = []
    for (what, data, case), found in cases.items():
        if case == "us":
            told.append(f"{what:11} {data:14} {'one row, by itself':45} {mean(f['flagged'] for f in found):6.1f} us\n")
            continue
        shares = ", ".join(f"{name} {mean(f[name] for f in found):7.3f}" for name in found[0])
        told.append(f"{what:11} {data:14} {case:45} {shares}  ({len(found)} seeds)\n")
    return "".join(told)


if __name__ == "__main__":
    raise SystemExit(main())
