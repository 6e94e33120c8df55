"""What every method found in `attribution/methods/` promises, whoever wrote it."""

from functools import cache

import numpy as np
import pytest

from explainer.attribution.game import SPACES, in_space
from explainer.attribution.maskers import baseline_values
from explainer.attribution.methods import exact, found
from explainer.attribution.ports import Ask
from explainer.attribution.uncertainty import two_sided
from explainer.errors import InvalidOption
from tests.attribution.fakes import (
    bent,
    classifier,
    linear_model,
    mixed_rows,
    regression,
    softmax,
    subject,
    tree_model,
)

KINDS = (0, 0, 0, 3, 3, 0)
SEEDS = (11, 12, 13)


def categories(rows):
    """The same rows with features 1 and 3 of four as categories of three."""
    rows = np.nan_to_num(rows)
    rows[:, [1, 3]] = np.abs(rows[:, [1, 3]].round()) % 3
    return rows


@cache
def subjects():
    """A black box with missing values, three classes, a regression, a linear model and trees; each with its rows."""
    mixed, four = mixed_rows(15, 0), categories(mixed_rows(15, 0, d=4))
    three = softmax(lambda x: np.stack([bent(x), x[:, 0], x[:, 1]], axis=1), 3)
    weights = np.random.default_rng(0).normal(size=(8, 1))
    line = linear_model(weights, np.array([0.3]), task="classification", link="logistic")
    return {
        "black box": (subject(classifier(bent, shows_margin=False), mixed, KINDS), mixed_rows(3, 1)),
        "three classes": (subject(three, mixed, KINDS), mixed_rows(3, 1)),
        "regression": (subject(regression(bent), mixed, KINDS), mixed_rows(3, 1)),
        "linear": (subject(line, four, (0, 3, 0, 3)), categories(mixed_rows(3, 1, d=4))),
        "trees": (subject(tree_model(), mixed_rows(15, 0, d=3)), mixed_rows(3, 1, d=3)),
    }


def case(name, space):
    """A subject, three rows of it, and an ask for all its outputs."""
    of, rows = subjects()[name]
    return of, rows, Ask(space, tuple(range(of.model.outputs)))


def fits(method, name, space):
    of, rows, ask = case(name, space)
    return all(method.suits(of, ask, row).fits for row in rows)


ALL = [
    (method, name, space)
    for method in found()
    for name in ("black box", "three classes", "regression", "linear", "trees")
    for space in (SPACES if name != "regression" else ("raw",))
]
FITTING = [parts for parts in ALL if fits(*parts)]  # what does not fit says so in a test of its own


def each(cases):
    ids = [f"{method.name}-{name}-{space}" for method, name, space in cases]
    return pytest.mark.parametrize(("method", "name", "space"), cases, ids=ids)


@pytest.mark.parametrize("method", found(), ids=lambda method: method.name)
def test_a_method_says_what_it_is(method):
    """A short name, a version, a family, a place on the ladder and one sentence."""
    assert method.name == method.name.lower()
    assert method.name.replace("_", "").isalnum()
    assert method.name not in {"auto", "shap"}
    assert method.version >= 1
    assert method.family in {"shap", "lime", "other"}
    assert 10 <= method.rung <= 99
    assert method.summary.endswith(".")
    assert len(method.summary) <= 200


@pytest.mark.parametrize("method", found(), ids=lambda method: method.name)
def test_a_method_fits_something(method):
    """Each method fits at least one of the subjects in one output space, or these tests would prove nothing of it."""
    assert any(parts[0] is method for parts in FITTING)


@each(ALL)
def test_it_says_why(method, name, space):
    """Whether it fits or not, the reason is a sentence."""
    of, rows, ask = case(name, space)
    why = method.suits(of, ask, rows[0]).why
    assert why.endswith(".")
    assert why[0].isupper()


@each(FITTING)
def test_the_answer_has_its_form(method, name, space):
    """Shapes, finite numbers, errors of zero where exact and never negative, and what `suits` said of exactness."""
    of, rows, ask = case(name, space)
    got = method.prepare(of, ask).explain(rows, SEEDS, ask)
    n, d, k = len(rows), rows.shape[1], len(ask.outputs)
    assert got.values.shape == got.standard_errors.shape == (n, d, k)
    assert got.expected.shape == got.predictions.shape == (n, k)
    assert got.evaluations.shape == (n,)
    assert (got.evaluations >= 0).all()
    assert np.isfinite(got.values).all()
    assert not (got.standard_errors < 0).any()
    assert len(got.notices) in {0, n}
    assert [len(part) for part in got.lime] == ([k] * n if method.family == "lime" else [])
    assert got.exact == method.suits(of, ask, rows[0]).exact
    if got.exact:
        assert not got.standard_errors.any()


@each(FITTING)
def test_it_explains_the_models_own_numbers(method, name, space):
    """Prediction and expected value are the model's, and Shapley values of any game add up between them."""
    of, rows, ask = case(name, space)
    game = in_space(of.model, space, ask.outputs)
    got = method.prepare(of, ask).explain(rows, SEEDS, ask)
    assert got.predictions == pytest.approx(game(rows), rel=1e-9, abs=1e-9)
    if method.family != "other":
        expected = np.tile(baseline_values(game, of.background)[1], (3, 1))
        assert got.expected == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert got.additive == (method.family != "lime")
    if got.additive:
        assert got.expected + got.values.sum(axis=1) == pytest.approx(got.predictions, rel=1e-9, abs=1e-9)


@each([parts for parts in FITTING if parts[0].family == "shap"])
def test_shapley_values_are_those_of_enumeration(method, name, space):
    """Exact ones to 1e-6 of the scale, sampled ones within five of their standard errors."""
    of, rows, ask = case(name, space)
    truth = exact.METHOD.prepare(of, ask).explain(rows, SEEDS, ask).values
    got = method.prepare(of, ask).explain(rows, SEEDS, ask)
    allowed = 1e-6 * np.abs(truth).max() + (0.0 if got.exact else 5.0) * got.standard_errors
    assert (np.abs(got.values - truth) <= allowed).all()


@each(FITTING)
def test_a_rows_numbers_are_its_own(method, name, space):
    """To the bit the same alone, in another order, with other neighbours, and from a method prepared anew."""
    of, rows, ask = case(name, space)
    ready = method.prepare(of, ask)
    together = ready.explain(rows, SEEDS, ask)
    backwards = method.prepare(of, ask).explain(rows[::-1].copy(), SEEDS[::-1], ask)
    for i in range(len(rows)):
        alone = ready.explain(rows[i : i + 1], SEEDS[i : i + 1], ask)
        for other, place in ((alone, 0), (backwards, len(rows) - 1 - i)):
            assert other.values[place].tobytes() == together.values[i].tobytes()
            assert other.standard_errors[place].tobytes() == together.standard_errors[i].tobytes()
            assert other.expected[place].tobytes() == together.expected[i].tobytes()
            assert other.lime[place : place + 1] == together.lime[i : i + 1]


@each(ALL)
def test_a_budget_is_kept_refused_or_told(method, name, space):
    """With 300 evaluations a row an answer stays within them, unless `suits` or InvalidOption says it cannot."""
    of, rows, ask = case(name, space)
    small = Ask(space, ask.outputs, max_evaluations=300)
    if not method.suits(of, small, rows[0]).fits:
        return
    try:
        got = method.prepare(of, small).explain(rows[:1], SEEDS[:1], small)
    except InvalidOption as refused:
        assert "max_evaluations" in refused.detail  # noqa: PT017
        return
    assert got.evaluations[0] <= 300


@each(FITTING)
def test_a_tolerance_is_met_or_told(method, name, space):
    """A sampled answer either meets the tolerance in its widest interval or carries `tolerance-not-met`."""
    of, rows, _ = case(name, space)
    ask = Ask(space, (0,), tolerance=1e-4, max_evaluations=20_000)
    got = method.prepare(of, ask).explain(rows[:1], SEEDS[:1], ask)
    codes = {notice.code for row in got.notices for notice in row}
    reached = two_sided(ask.confidence) * got.standard_errors.max()
    assert reached <= 1e-4 or "tolerance-not-met" in codes
