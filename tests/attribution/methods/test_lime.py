"""LIME as a method: the library's weights, and answers that can be trusted."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lime.lime_tabular import LimeTabularExplainer

from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.maskers import background
from explainer.attribution.methods.lime import METHOD, Lime
from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Ask, Attributions, Subject
from explainer.records import FloatArray

RAW = Ask("raw", (0,))
NARROW = {"kernel_width": 0.8}


def subject(data: FloatArray, kinds: list[int], predict: object, outputs: int = 1) -> Subject:
    task = "classification" if outputs > 1 else "regression"
    model = OpenedModel(predict, task, outputs, "by hand", "1")  # type: ignore[arg-type]
    names = tuple(f"x{j}" for j in range(len(kinds)))
    labels = tuple(tuple(f"c{i}" for i in range(kind)) for kind in kinds)
    return Subject(model, "m", background(data, "b"), np.array(kinds), names, labels)


def explain(what: Subject, rows: FloatArray, seeds: list[int], ask: Ask = RAW, method: Lime = METHOD) -> Attributions:
    return method.prepare(what, ask).explain(rows, seeds, ask)


def mixed(seed: int, size: int, numbers: int, categories: int) -> tuple[FloatArray, list[int]]:
    """Normal, skewed, tied and integer numbers, then categories of two to five labels; rows in canonical order."""
    random = np.random.default_rng(seed)
    columns = [
        (random.normal(size=size), random.exponential(1e3, size), random.poisson(1.0, size) * 1.0)[j % 3]
        for j in range(numbers)
    ]
    kinds = [0] * numbers + [2 + j % 4 for j in range(categories)]
    columns += [random.integers(0, kind, size) * 1.0 for kind in kinds[numbers:]]
    return np.column_stack(columns), kinds


def wavy(data: FloatArray) -> object:
    """Three classes from a network with fixed weights over standardised columns."""
    centre, scale = data.mean(axis=0), data.std(axis=0) + 1
    hidden = np.random.default_rng(5).normal(size=(data.shape[1], 8))
    out = np.random.default_rng(6).normal(size=(8, 3))

    def predict(rows: FloatArray) -> FloatArray:
        power = np.exp(np.tanh((rows - centre) / scale @ hidden) @ out)
        return power / power.sum(axis=1, keepdims=True)

    return predict


@pytest.mark.parametrize(("numbers", "categories"), [(1, 0), (0, 1), (30, 0), (0, 9), (7, 5)])
@pytest.mark.parametrize(
    "manner",
    [{}, {"discretizer": "decile"}, {"discretizer": None}, {"discretizer": None, "around_row": True}, NARROW],
    ids=["quartile", "decile", "normal", "around the row", "narrow kernel"],
)
@pytest.mark.parametrize(("seed", "samples"), [(0, 1000), (4_000_000_000, 333)])
def test_weights_are_the_librarys(
    numbers: int, categories: int, manner: dict[str, object], seed: int, samples: int
) -> None:
    """For the same seed the weights, intercepts and R2 of all three classes are the library's to 1e-9."""
    data, kinds = mixed(seed, 150, numbers, categories)
    predict = wavy(data)
    ask = Ask("probability", (0, 1, 2))
    options = LimeOptions(samples=samples, most_samples=samples, point_cells="library", **manner)  # type: ignore[arg-type]
    ours = explain(subject(data, kinds, predict, 3), data[4:5], [seed], ask, Lime(options))
    for k in range(3):
        explainer = LimeTabularExplainer(
            data,
            categorical_features=np.flatnonzero(kinds).tolist(),
            kernel_width=options.kernel_width,
            feature_selection="none",
            discretize_continuous=options.discretizer is not None,
            discretizer=options.discretizer or "quartile",
            sample_around_instance=options.around_row,
            random_state=seed,
        )
        theirs = explainer.explain_instance(data[4], predict, labels=(k,), num_samples=samples)
        weights = dict(theirs.local_exp[k])
        np.testing.assert_allclose(ours.values[0, :, k], [weights[j] for j in range(len(kinds))], rtol=0, atol=1e-9)
        assert ours.lime[0][k].intercept == pytest.approx(theirs.intercept[k], abs=1e-9)
        assert ours.lime[0][k].local_r2 == pytest.approx(theirs.score, abs=1e-9)


def test_all_features_are_what_the_librarys_automatic_choice_gives_when_asked_for_all() -> None:
    """`feature_selection="auto"` with num_features = features chooses every feature, above and below six."""
    for count in (4, 12):
        data, kinds = mixed(1, 100, count, 0)
        ours = explain(
            subject(data, kinds, lambda rows: np.sin(rows).sum(axis=1, keepdims=True)),
            data[:1],
            [3],
            method=Lime(LimeOptions(point_cells="library")),
        )
        explainer = LimeTabularExplainer(data, mode="regression", random_state=3)
        theirs = explainer.explain_instance(data[0], lambda rows: np.sin(rows).sum(axis=1), num_features=count)
        weights = dict(theirs.local_exp[1])
        if ours.evaluations[0] == 5000:
            np.testing.assert_allclose(ours.values[0, :, 0], [weights[j] for j in range(count)], rtol=0, atol=1e-9)
        else:
            pytest.fail("the comparison needs an answer that settles in the first round")


def test_the_background_counts_by_weight() -> None:
    """A background given as distinct rows with weights answers like the library on all rows, repeats included."""
    data = np.random.default_rng(2).integers(0, 6, size=(300, 3)).astype(float)
    distinct = background(data, "b")
    assert len(distinct.rows) < 200
    ours = explain(
        subject(data, [0, 0, 0], lambda rows: rows @ np.array([[1.0], [-2], [0.5]])),
        data[:1],
        [9],
        method=Lime(LimeOptions(point_cells="library")),
    )
    explainer = LimeTabularExplainer(data, mode="regression", feature_selection="none", random_state=9)
    theirs = explainer.explain_instance(data[0], lambda rows: rows @ np.array([1.0, -2, 0.5]))
    weights = dict(theirs.local_exp[1])
    np.testing.assert_allclose(ours.values[0, :, 0], [weights[j] for j in range(3)], rtol=0, atol=1e-9)


def test_the_same_seed_gives_the_same_bits_whatever_else_is_asked() -> None:
    """One row alone, among others, in another place and once more: the same bits; another seed: other bits."""
    data, kinds = mixed(3, 120, 6, 3)
    prepared = METHOD.prepare(subject(data, kinds, wavy(data), 3), Ask("probability", (1,)))
    ask = Ask("probability", (1,))
    alone = prepared.explain(data[:1], [5], ask)
    among = prepared.explain(data[[7, 0, 2]], [1, 5, 2], ask)
    np.testing.assert_array_equal(alone.values[0], among.values[1])
    np.testing.assert_array_equal(alone.standard_errors[0], among.standard_errors[1])
    assert alone.lime[0] == among.lime[1]
    assert alone.notices[0] == among.notices[1]
    assert not np.array_equal(alone.values, prepared.explain(data[:1], [6], ask).values)


def test_missing_values_are_explained_as_such() -> None:
    """A missing amount that the model punishes gets a negative weight and a rule in words; the rest gets none."""
    random = np.random.default_rng(0)
    data = random.normal(size=(200, 3))
    data[::4, 0] = np.nan
    data[:, 2] = random.integers(0, 2, 200)
    data[::5, 2] = np.nan
    what = subject(data, [0, 0, 2], lambda rows: -3.0 * np.isnan(rows[:, :1]) + 2.0 * np.isnan(rows[:, 2:]))
    found = explain(what, np.array([[np.nan, 0.1, np.nan]]), [1])
    assert found.values[0, :, 0] == pytest.approx([-3, 0, 2], abs=0.05)
    assert [rule for rule, _ in found.lime[0][0].rules][::2] == ["x0 is missing", "x2 is missing"]
    assert found.lime[0][0].local_r2 > 0.99


@pytest.mark.parametrize("options", [LimeOptions(), LimeOptions(discretizer=None)], ids=["cells", "normal"])
def test_a_value_may_be_missing_that_no_background_row_misses(options: LimeOptions) -> None:
    """The row alone is missing the value: the answer is finite, with and without discretisation."""
    data = np.random.default_rng(0).normal(size=(100, 2))
    what = subject(data, [0, 0], lambda rows: np.nan_to_num(rows, nan=4.0).sum(axis=1, keepdims=True))
    found = explain(what, np.array([[np.nan, 0.3]]), [1], method=Lime(options))
    assert np.isfinite(found.values).all()
    assert np.isfinite(found.standard_errors).all()
    assert found.lime[0][0].rules[0][0] == "x0 is missing"


def test_a_linear_function_has_the_signs_of_its_effects() -> None:
    """At a row above all quartiles the weights have the signs and the order of the linear function's coefficients."""
    data = np.random.default_rng(1).normal(size=(300, 5))
    effects = np.array([3.0, -2, 1, 0, -0.5])
    found = explain(subject(data, [0] * 5, lambda rows: (rows @ effects)[:, None]), np.full((1, 5), 2.5), [4])
    weights, errors = found.values[0, :, 0], found.standard_errors[0, :, 0]
    assert (np.sign(weights[effects != 0]) == np.sign(effects[effects != 0])).all()
    assert abs(weights[3]) < 4 * errors[3]
    assert all(abs(weights[a]) > abs(weights[b]) for a, b in pairwise([0, 1, 2, 4]))


def test_without_discretisation_a_linear_function_gives_its_own_coefficients() -> None:
    """Weights of standardised numbers are coefficient times standard deviation, but for the ridge's pull."""
    data = np.random.default_rng(1).normal(size=(300, 3)) * [1, 10, 100]
    effects = np.array([3.0, -2, 1])
    what = subject(data, [0] * 3, lambda rows: (rows @ effects)[:, None])
    found = explain(what, data[:1], [4], method=Lime(LimeOptions(discretizer=None)))
    np.testing.assert_allclose(found.values[0, :, 0], effects * data.std(axis=0), rtol=5e-3)


def test_a_constant_model_and_a_constant_feature_have_no_weight() -> None:
    """A constant model gives zeros with zero error and no notice; a feature that never varies gives 0."""
    data = np.column_stack([np.full(50, 7.0), np.arange(50.0)])
    flat = explain(subject(data, [0, 0], lambda rows: np.full((len(rows), 1), 3.0)), data[:1], [1])
    assert not flat.values.any()
    assert not flat.standard_errors.any()
    assert flat.notices[0] == ()
    assert flat.lime[0][0].intercept == flat.predictions[0, 0] == flat.expected[0, 0] == 3
    slope = explain(subject(data, [0, 0], lambda rows: rows.sum(axis=1, keepdims=True)), data[:1], [1])
    assert abs(slope.values[0, 0, 0]) < 1e-15
    assert slope.values[0, 1, 0] < 0


def test_a_constant_feature_keeps_its_value_among_the_neighbours() -> None:
    """The model never sees a value of a constant feature that is not in the background; the library hands it 0."""
    data = np.column_stack([np.full(50, 7.0), np.arange(50.0)])
    seen: set[float] = set()

    def predict(rows: FloatArray) -> FloatArray:
        seen.update(rows[:, 0].tolist())
        return rows[:, 1:]

    explain(subject(data, [0, 0], predict), data[:1], [1])
    assert seen == {7.0}


def test_a_row_outside_the_background_is_explained() -> None:
    """Numbers beyond the background's range and an unseen category: finite weights, and neighbours within range."""
    data, kinds = mixed(0, 100, 2, 1)
    data[:, 2] = 0
    found = explain(subject(data, kinds, lambda rows: rows.sum(axis=1, keepdims=True)), np.array([[99.0, -99, 1]]), [1])
    assert np.isfinite(found.values).all()
    assert [rule.split(" ")[1] for rule, _ in found.lime[0][0].rules] == [">", "<=", "="]


def test_one_feature_is_enough() -> None:
    """One number: the weight of its cell is the mean output in the cell less that outside it, but for the ridge."""
    data = np.arange(40.0)[:, None]
    found = explain(subject(data, [0], lambda rows: 1.0 * (rows > 29.5)), np.array([[35.0]]), [0])
    assert found.values[0, 0, 0] == pytest.approx(1, abs=0.02)
    assert found.lime[0][0].kernel_width == 0.75
    assert found.lime[0][0].stability == 1


def test_classes_share_their_samples() -> None:
    """The weights of all classes of a probability add up to 0, and asking for one class gives the same bits."""
    data, kinds = mixed(3, 120, 4, 2)
    what = subject(data, kinds, wavy(data), 3)
    every = explain(what, data[:1], [8], Ask("probability", (0, 1, 2), max_evaluations=1000))
    np.testing.assert_allclose(every.values.sum(axis=2), 0, atol=1e-12)
    one = explain(what, data[:1], [8], Ask("probability", (2,), max_evaluations=1000))
    np.testing.assert_allclose(one.values[..., 0], every.values[..., 2], rtol=1e-9, atol=1e-14)
    assert every.values.shape == every.standard_errors.shape == (1, 6, 3)


def test_expected_and_prediction_are_the_models_own() -> None:
    """`expected` is the weighted mean over the background, `predictions` the output at the row; no sum is claimed."""
    data = np.random.default_rng(2).integers(0, 3, size=(60, 2)).astype(float)
    found = explain(subject(data, [0, 0], lambda rows: np.exp(rows).sum(axis=1, keepdims=True)), data[:2], [1, 2])
    np.testing.assert_allclose(found.expected[:, 0], np.exp(data).sum(axis=1).mean())
    np.testing.assert_allclose(found.predictions[:, 0], np.exp(data[:2]).sum(axis=1))
    assert (found.exact, found.additive) == (False, False)


@pytest.mark.parametrize("budget", [120, 1000])
def test_standard_errors_hold(budget: int) -> None:
    """Over 200 seeds the stated error of every weight is within 25 % of the spread of that weight."""
    data, kinds = mixed(3, 120, 5, 2)
    ask = Ask("probability", (1,), max_evaluations=budget)
    method = Lime(LimeOptions(samples=budget))
    found = explain(
        subject(data, kinds, wavy(data), 3), np.repeat(data[:1], 200, axis=0), list(range(200)), ask, method
    )
    stated = np.sqrt((found.standard_errors[..., 0] ** 2).mean(axis=0))
    seen = found.values[..., 0].std(axis=0, ddof=1)
    assert (stated / seen).min() > 0.8
    assert (stated / seen).max() < 1.25


def test_an_unstable_answer_says_so_and_has_spent_its_budget() -> None:
    """Thirty equal effects cannot be ranked: 20,000 samples are drawn, and the answer tells that order is chance."""
    data = np.random.default_rng(0).normal(size=(200, 30))
    found = explain(subject(data, [0] * 30, lambda rows: np.cos(rows).sum(axis=1, keepdims=True)), data[:1] * 0, [1])
    assert found.evaluations[0] == 20_000
    assert {notice.code for notice in found.notices[0]} >= {"lime-unstable", "budget-reached"}
    stability = found.lime[0][0].stability
    assert stability is not None
    assert stability < 0.8


def test_a_deadline_is_told() -> None:
    """A deadline that has passed gives the fewest samples and says so."""
    data, kinds = mixed(3, 120, 5, 2)
    what = subject(data, kinds, lambda rows: rows.sum(axis=1, keepdims=True))
    found = explain(what, data[:1], [1], replace(RAW, deadline=time.monotonic() - 1))
    assert found.lime[0][0].samples == found.evaluations[0] == 50
    assert found.notices[0][0].code == "deadline-reached"


def test_entropy_cells_are_left_to_the_library_and_the_answer_says_so() -> None:
    """With entropy cells the notice names the library, and errors are NaN in place of an invention."""
    data, kinds = mixed(3, 120, 3, 1)
    ask = Ask("probability", (1,))
    method = Lime(LimeOptions(discretizer="entropy", samples=300))
    found = explain(subject(data, kinds, wavy(data), 3), data[:1], [1], ask, method)
    assert found.notices[0][0].code == "lime-by-library"
    assert np.isnan(found.standard_errors).all()
    assert found.lime[0][0].stability is None


def test_lime_is_the_last_rung_and_fits_anything() -> None:
    """The method's names are those of the ladder, and it never refuses a subject."""
    data, kinds = mixed(3, 20, 2, 1)
    suitable = METHOD.suits(subject(data, kinds, lambda rows: rows[:, :1]), RAW, data[0])
    assert (METHOD.name, METHOD.family, METHOD.rung) == ("lime", "lime", 90)
    assert suitable.fits
    assert not suitable.exact


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(1, 5), st.integers(0, 3))
def test_any_background_and_row_with_gaps_gives_finite_numbers(seed: int, numbers: int, categories: int) -> None:
    """Random tables with ties, gaps and columns that are all missing: finite weights and errors, one rule a feature."""
    random = np.random.default_rng(seed)
    data, kinds = mixed(seed, int(random.integers(1, 30)), numbers, categories)
    data[random.random(data.shape) < 0.3] = np.nan
    what = subject(data, kinds, lambda rows: np.nan_to_num(rows, nan=-1.0).sum(axis=1, keepdims=True))
    found = explain(what, data[:1], [seed], replace(RAW, max_evaluations=100))
    assert np.isfinite(found.values).all()
    assert np.isfinite(found.standard_errors).all()
    assert len(found.lime[0][0].rules) == numbers + categories
