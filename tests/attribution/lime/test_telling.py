"""The notices of a LIME answer."""

from dataclasses import replace

import numpy as np

from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.sampling import Outcome
from explainer.attribution.lime.surrogate import Surrogate
from explainer.attribution.lime.telling import notices
from explainer.attribution.ports import Ask

ONE = np.ones(1)
GOOD = Surrogate(ONE[:, None], 0.01 * ONE[:, None], ONE, 0.9 * ONE, ONE)
ASK = Ask("raw", (0,))


def codes(surrogate: Surrogate, end: str, samples: int = 5000, ask: Ask = ASK) -> list[str]:
    outcome = Outcome(surrogate, ONE, samples, samples, end)  # type: ignore[arg-type]
    return [notice.code for notice in notices(outcome, LimeOptions(), ask)]


def test_a_good_answer_needs_no_notice() -> None:
    """A settled, stable, well fitting answer is given without a notice, and so is one at its budget."""
    assert codes(GOOD, "settled") == []
    assert codes(GOOD, "budget") == []


def test_every_shortcoming_is_told() -> None:
    """An unstable answer, a bad fit, a tolerance not met and the spent budget are four notices."""
    bad = replace(GOOD, r2=0.1 * ONE, stability=0.5 * ONE)
    found = codes(bad, "budget", 60, replace(ASK, tolerance=0.001))
    assert found == ["budget-reached", "tolerance-not-met", "lime-unstable", "low-local-fit"]


def test_the_deadline_is_always_told() -> None:
    """Fewer samples than the usual 5,000 are told even where the answer is stable, with both numbers."""
    told = notices(Outcome(GOOD, ONE, 500, 500, "deadline"), LimeOptions(), ASK)
    assert [notice.code for notice in told] == ["deadline-reached"]
    assert "500 samples of the 5,000" in told[0].detail


def test_the_worst_output_counts() -> None:
    """Of two outputs the one that is unstable and badly fitted is told about."""
    two = replace(GOOD, r2=np.array([0.9, 0.2]), stability=np.array([1.0, 0.7]))
    assert codes(two, "settled") == ["lime-unstable", "low-local-fit"]


def test_an_answer_by_the_library_says_so() -> None:
    """What the library computed has no errors and no stability: that is told, and nothing made up about it."""
    unknown = replace(GOOD, standard_errors=np.full((1, 1), np.nan), stability=np.full(1, np.nan))
    assert codes(unknown, "library") == ["lime-by-library"]
    assert codes(unknown, "library", ask=replace(ASK, tolerance=1.0)) == ["lime-by-library", "tolerance-not-met"]
