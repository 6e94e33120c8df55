"""Does a model answer real rows otherwise than the rows that explanations ask it about?

Slack, Hilgard, Jia, Singh and Lakkaraju 2020 ("Fooling LIME and SHAP", AIES) hide a biased model behind one that is
shown whenever a row does not look real. A surrogate that is fitted to the model's answers on perturbed rows then knows
the shown model alone, and is wrong about real rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explainer.attribution.maskers import canonical
from explainer.attribution.model import IntArray
from explainer.attribution.vetting.boosted import fit
from explainer.attribution.vetting.perturbed import drawn_apart, mixtures
from explainer.records import FloatArray

FITTED = 3000  # perturbed rows that the surrogate is fitted to
LEAST_FITTED = 1000
SHARE = 4  # one perturbed row is held out for so many that are fitted to
FEWEST_REAL = 30  # background rows below which nothing is said
FEWEST_GOLDEN = 10  # golden rows below which they are not looked at apart
KINDS = ("mixtures", "drawn apart")

# Found on `python -m benchmarks vetting`; seeds that were looked at when they were chosen are not among its seeds.
GAP = 0.08  # of a probability, or of a standard deviation: smaller gaps are no finding
PLAIN = 4.5  # times the error on perturbed rows, beyond which no honest model comes
LIKELY = 2.5  # times that error, which is enough where golden rows show a gap of GOLDEN as well
GOLDEN = 0.1
BY_HEART = 0.12

Predict = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Gap:
    """By how much the surrogate is more wrong about real rows than about perturbed ones it has not seen either.

    In units of a probability, or of standard deviations of a regression's answers. `golden` is that of the golden
    rows, None where they are few; `perturbed` is the error on perturbed rows.
    """

    kind: str
    background: float
    golden: float | None
    perturbed: float

    @property
    def suspicious(self) -> bool:
        """Whether the model is another one on real rows than on perturbed ones."""
        shown = self.golden is not None and self.golden > GOLDEN
        return self.background > max(GAP, (LIKELY if shown else PLAIN) * self.perturbed)

    @property
    def by_heart(self) -> bool:
        """Whether it answers background rows otherwise than any others: it has learnt its training rows by heart."""
        return self.golden is not None and self.background > max(BY_HEART, 2 * self.golden)


def gaps(
    predict: Predict, background: FloatArray, golden: FloatArray, kinds: IntArray, fitted: int = FITTED, seed: int = 0
) -> tuple[Gap, ...]:
    """Measure the gap for both kinds of perturbed rows; costs 2.5 * fitted model rows and those that are real.

    `predict` gives (n, outputs) for coded rows; the output that varies most over the background is looked at.
    `kinds[i]` counts the categories of feature i, 0 if it is numeric. A `seed` that the model's maker cannot know keeps
    the maker from answering these very rows as the real ones are answered.
    """
    random = np.random.default_rng(seed)
    real = np.unique(canonical(np.concatenate([background, golden])), axis=0)
    here, there = predict(background), predict(golden) if len(golden) else np.empty((0, 0))
    output = int(here.std(axis=0).argmax())
    apart = fitted + fitted // SHARE
    drawn = (mixtures(real, background, apart, random), drawn_apart(background, kinds, apart, random))
    found = []
    for kind, rows in zip(KINDS, drawn, strict=True):
        answers = predict(rows)[:, output]
        surrogate = fit(rows[:fitted], answers[:fitted])
        unit = 1.0 if here.shape[1] > 1 else max(float(here.std()), float(answers.std()), 1e-300)
        left = float(np.abs(surrogate.predict(rows[fitted:]) - answers[fitted:]).mean()) / unit
        on_background = float(np.abs(surrogate.predict(background) - here[:, output]).mean()) / unit
        on_golden = None
        if len(golden) >= FEWEST_GOLDEN:
            on_golden = float(np.abs(surrogate.predict(golden) - there[:, output]).mean()) / unit - left
        found.append(Gap(kind, on_background - left, on_golden, left))
    return tuple(found)
