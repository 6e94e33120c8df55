"""Proves which outcome a score leads to, on both sides of the threshold and for each kind of model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.records import AdverseWhen, DecisionSpec
from explainer.usecases.deciding import are_adverse, is_adverse, outcome_of, score_of, scores_of
from tests.registry.folders import manifest

THREE = manifest(classes=("a", "b", "c"), positive_class="b")


@pytest.mark.parametrize(
    ("when", "score", "outcome"),
    [
        ("at_or_above", 0.5, "no"),
        ("at_or_above", np.nextafter(0.5, 0), "yes"),
        ("below", 0.5, "yes"),
        ("below", np.nextafter(0.5, 0), "no"),
        ("at_or_above", 1.0, "no"),
        ("below", 1.0, "yes"),
    ],
)
def test_the_threshold_itself_is_at_or_above(when: AdverseWhen, score: float, outcome: str) -> None:
    """A score at the threshold is adverse where adverse is 'at or above', and favourable where it is 'below'."""
    assert outcome_of(DecisionSpec(0.5, "yes", "no", adverse_when=when), score) == outcome


@given(st.lists(st.floats(0, 1), max_size=9), st.floats(0, 1))
def test_one_and_many_agree_and_the_sides_are_opposites(scores: list[float], threshold: float) -> None:
    """Scores together are judged as each alone, and 'below' is adverse exactly where 'at or above' is not."""
    above, below = (DecisionSpec(threshold, "yes", "no", adverse_when=w) for w in ("at_or_above", "below"))
    together = are_adverse(above, np.array(scores, dtype=np.float64))
    assert together.tolist() == [is_adverse(above, s) for s in scores]
    assert together.tolist() == [not is_adverse(below, s) for s in scores]


def test_the_score_of_each_kind_of_model() -> None:
    """It is the probability of the positive class, of the likeliest where none is declared, or a regression's value."""
    outputs = np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]])
    assert scores_of(THREE, outputs).tolist() == [0.3, 0.1]
    assert scores_of(manifest(classes=THREE.classes, positive_class=None), outputs).tolist() == [0.5, 0.6]
    number = manifest(task="regression", classes=(), positive_class=None)
    assert score_of(number, np.array([12.5])) == 12.5
    assert score_of(THREE, outputs[1]) == 0.1
