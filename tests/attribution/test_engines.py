"""Every method answers against the rows that a request brings, and a worker keeps a few of them ready."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.engines import KEPT, Engines
from explainer.attribution.game import in_space
from explainer.attribution.maskers import background
from explainer.attribution.ports import Subject
from explainer.attribution.reference import brought
from explainer.errors import InvalidRows
from explainer.records import BackgroundRows, ExplainOptions, Explanation, FloatArray, OutputSpace
from tests.attribution.fakes import (
    bent,
    brute_force,
    linear_model,
    manifest,
    mixed_rows,
    regression,
    subject,
    tree_model,
)

LINEAR = subject(linear_model(np.arange(8.0)[:, None], np.ones(1), task="regression", link="identity"), np.ones((3, 4)))
TREES = subject(tree_model(), mixed_rows(20, 3, d=3))
BLACK_BOX = subject(regression(bent), mixed_rows(25, 4))
COHORT, BASELINE = mixed_rows(7, 5), mixed_rows(1, 6)


def explained(of: Subject, rows: FloatArray, against: BackgroundRows, **settings: object) -> list[Explanation]:
    options = ExplainOptions(background=against, **settings)  # type: ignore[arg-type]
    return [e for (e,) in Engines(of).against(against).explain(rows, options, manifest(of))]


def fitting(of: Subject, rows: FloatArray) -> FloatArray:
    d = len(of.names)
    return np.nan_to_num(rows[:, :d]) if of is LINEAR else rows[:, :d]


@pytest.mark.parametrize(
    "given", [COHORT, BASELINE, np.concatenate([COHORT, COHORT[:2]])], ids=["cohort", "one", "twice"]
)
@pytest.mark.parametrize(
    ("of", "method", "space"),
    [
        (LINEAR, "linear", "raw"),
        (TREES, "tree", "raw"),
        (TREES, "tree", "probability"),
        (TREES, "exact", "log_odds"),
        (BLACK_BOX, "exact", "raw"),
        (BLACK_BOX, "permutation", "raw"),
        (BLACK_BOX, "kernel", "raw"),
    ],
)
def test_every_method_answers_against_the_rows_of_the_request(
    of: Subject, method: str, space: OutputSpace, given: FloatArray
) -> None:
    """Shapley values are those of brute force against these rows, exactly or within what the errors say."""
    rows, cohort = fitting(of, mixed_rows(2, 9)), fitting(of, given)
    against = background(cohort, "x")
    found = explained(of, rows, brought(cohort), method=method, output=space)
    for row, e in zip(rows, found, strict=True):
        game = in_space(of.model, space, (of.model.outputs - 1,))
        truth = brute_force(game, row, against.rows, against.weights)[:, 0]
        allowed = 1e-9 if e.method.exact else 6 * max(float(s or 0) for s in e.standard_errors) + 1e-9
        assert np.abs(np.array(e.attributions) - truth).max() <= allowed
        assert e.expected_value == pytest.approx(float(against.weights @ game(against.rows)[:, 0]), abs=1e-9)
        assert e.method.background == f"rows:{brought(cohort).digest[:12]}"


@pytest.mark.parametrize("given", [COHORT, BASELINE], ids=["cohort", "one"])
def test_lime_answers_too(given: FloatArray) -> None:
    """LIME draws from the rows of the request; its numbers are finite and repeat."""
    rows = mixed_rows(2, 9)
    first, second = (explained(BLACK_BOX, rows, brought(given), method="lime") for _ in range(2))
    assert first == second
    assert np.isfinite([e.attributions for e in first]).all()


def test_a_seed_depends_on_the_background() -> None:
    """The same row against other rows is another question with a seed of its own."""
    seeds = {
        explained(BLACK_BOX, COHORT[:1], brought(b), method="permutation")[0].method.seed for b in (COHORT, BASELINE)
    }
    assert len(seeds) == 2


def test_the_order_of_the_rows_does_not_change_a_bit() -> None:
    """A cohort in another order gives the same answer to the bit, sampled methods included."""
    row = mixed_rows(1, 9)
    answers = [explained(BLACK_BOX, row, brought(b), method="permutation") for b in (COHORT, COHORT[::-1])]
    assert answers[0] == answers[1]


def test_the_models_own_background_in_a_request_gives_the_same_numbers() -> None:
    """Sending the default background as rows changes the name of the background and no exact number."""
    rows, options = mixed_rows(3, 9)[:, :3], ExplainOptions(output="raw", method="tree")
    default = Engines(TREES).against("default").explain(rows, options, manifest(TREES))
    sent = explained(TREES, rows, brought(mixed_rows(20, 3, d=3)), output="raw", method="tree")
    for (a,), b in zip(default, sent, strict=True):
        assert np.allclose(a.attributions, b.attributions, rtol=0, atol=1e-12)
        same = {"background": "", "additivity_gap": None}
        assert replace(a.method, **same) == replace(b.method, **same)


def test_a_few_are_kept_and_the_oldest_goes() -> None:
    """The same rows find their engine again until KEPT others were asked for since."""
    engines = Engines(BLACK_BOX)
    many = [brought(mixed_rows(2, seed)) for seed in range(20, 21 + KEPT)]
    first = engines.against(many[0])
    assert engines.against("default") is engines.own
    for other in many[1:KEPT]:
        assert engines.against(other) is not first
    assert engines.against(many[0]) is first
    engines.against(many[KEPT])
    assert engines.against(many[0]) is first
    for other in many[1:]:
        engines.against(other)
    assert engines.against(many[0]) is not first


def test_rows_of_another_width_are_refused() -> None:
    """A background must have the model's features."""
    with pytest.raises(InvalidRows, match=r"background.rows: 5 values a row; 6 are due"):
        Engines(BLACK_BOX).against(brought(np.ones((2, 5))))
