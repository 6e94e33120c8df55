"""What the reader of a LIME answer must be told about it."""

from __future__ import annotations

import numpy as np

from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.sampling import STABLE, Outcome, settled, within
from explainer.attribution.ports import Ask
from explainer.records import Notice

LOW_FIT = 0.25  # local R2 below which the weights are not the story; cells alone keep it well below 1


def notices(outcome: Outcome, options: LimeOptions, ask: Ask) -> tuple[Notice, ...]:
    """Notices with the codes lime-by-library, deadline-reached, budget-reached, tolerance-not-met, lime-unstable and
    low-local-fit, in that order, each where it applies."""
    found = [_end(outcome, options, ask), _tolerance(outcome, ask), _unstable(outcome), _low_fit(outcome)]
    return tuple(notice for notice in found if notice is not None)


def _end(outcome: Outcome, options: LimeOptions, ask: Ask) -> Notice | None:
    if outcome.end == "library":
        detail = "The lime library itself computed this, once: it states no standard error and no stability."
        return Notice("lime-by-library", detail)
    if outcome.end == "deadline":
        begin = f" of the {options.samples:,} to begin with" if outcome.samples < options.samples else ""
        return Notice("deadline-reached", f"Sampling ended at the deadline, after {outcome.samples:,} samples{begin}.")
    if outcome.end == "budget" and not settled(outcome.surrogate, ask):
        detail = f"Sampling ended after {outcome.samples:,} samples, all that the budget allows; raise max_evaluations."
        return Notice("budget-reached", detail)
    return None


def _tolerance(outcome: Outcome, ask: Ask) -> Notice | None:
    if ask.tolerance is None or within(outcome.surrogate, ask):
        return None
    error = float(outcome.surrogate.standard_errors.max())
    reached = "an error that is not known" if np.isnan(error) else f"a standard error of {error:.3g} at most"
    detail = f"Reached {reached}; intervals of ±{ask.tolerance:.3g} were asked for."
    return Notice("tolerance-not-met", detail)


def _unstable(outcome: Outcome) -> Notice | None:
    lowest = float(outcome.surrogate.stability.min())
    if np.isnan(lowest) or lowest >= STABLE:
        return None
    detail = (
        f"Independent halves of the {outcome.samples:,} samples share {lowest:.0%} of their leading features, "
        f"less than {STABLE:.0%}: the order of the features may be chance."
    )
    return Notice("lime-unstable", detail)


def _low_fit(outcome: Outcome) -> Notice | None:
    lowest = float(outcome.surrogate.r2.min())
    if lowest >= LOW_FIT:
        return None
    detail = (
        f"The linear model explains {lowest:.0%} of how the output varies around the row, less than {LOW_FIT:.0%}: "
        "its weights say little about the model itself."
    )
    return Notice("low-local-fit", detail)
