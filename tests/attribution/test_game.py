"""What `game` promises: the right numbers in each output space, and a refusal of anything that is no answer."""

import time

import numpy as np
import pytest

from explainer.attribution.game import BLOCK, Timed, in_blocks, in_space
from explainer.attribution.model import OpenedModel
from explainer.errors import InvalidOption, ModelFailed
from tests.attribution.fakes import bent, classifier, mixed_rows, regression, softmax

ROWS = mixed_rows(7, 0)


def answering(values, *, task="classification", outputs=2, **more):
    return OpenedModel(lambda x: np.asarray(values), task, outputs, "numpy", "2", **more)


def test_probability_is_the_models_own_prediction_of_the_outputs_asked_for():
    """Columns come in the order asked for, as float64, from a model that answers float32."""
    model = OpenedModel(lambda x: classifier(bent).predict(x).astype(np.float32), "classification", 2, "numpy", "2")
    got = in_space(model, "probability", (1, 0))(ROWS)
    assert got.dtype == np.float64
    assert np.array_equal(got, classifier(bent).predict(ROWS)[:, [1, 0]].astype(np.float32))


def test_a_single_margin_belongs_to_class_one_and_class_zero_has_its_negative():
    """In raw and in log-odds output of a logistic model the two classes are each other's negative."""
    for space in ("raw", "log_odds"):
        assert np.array_equal(
            in_space(classifier(bent), space, (0, 1))(ROWS), np.stack([-bent(ROWS), bent(ROWS)], axis=1)
        )


def test_log_odds_without_a_margin_are_the_logit_of_the_prediction():
    """ln(p / (1 - p)) of the probability is the margin that the logistic link started from."""
    got = in_space(classifier(bent, shows_margin=False), "log_odds", (0, 1))(ROWS)
    assert np.allclose(got, np.stack([-bent(ROWS), bent(ROWS)], axis=1), rtol=1e-12)


def test_log_odds_of_a_softmax_are_those_of_its_probabilities_but_never_overflow():
    """They equal ln(p / (1 - p)) where that can be computed, and stay finite where p rounds to 1."""
    model = softmax(lambda x: np.stack([x[:, 0], 2 * x[:, 1], -x[:, 2]], axis=1), 3)
    p = model.predict(ROWS)
    assert np.allclose(in_space(model, "log_odds", (0, 1, 2))(ROWS), np.log(p / (1 - p)), rtol=1e-12)
    steep = softmax(lambda x: np.array([[60.0, 0.0, 0.0]]), 3)
    assert in_space(steep, "log_odds", (0,))(ROWS[:1])[0, 0] == pytest.approx(60 - np.log(2), rel=1e-12)


def test_infinite_log_odds_are_refused_with_the_way_out():
    """A probability of exactly 1 without a margin is an InvalidOption that names the output to ask for instead."""
    with pytest.raises(InvalidOption, match=r'infinite.*"probability"'):
        in_space(answering([[0.0, 1.0]]), "log_odds", (1,))(ROWS[:1])


def test_raw_is_the_prediction_where_there_is_no_margin():
    """A regression without a margin answers its prediction in raw output."""
    assert np.array_equal(in_space(regression(bent), "raw", (0,))(ROWS)[:, 0], bent(ROWS))


@pytest.mark.parametrize("space", ["probability", "log_odds"])
def test_a_regression_has_no_probability(space):
    """Asking a regression for a classifier's output is refused before anything is computed."""
    with pytest.raises(InvalidOption, match="regression"):
        in_space(regression(bent), space, (0,))


def test_an_unknown_space_is_refused():
    """A space that does not exist is refused with the list of those that do."""
    with pytest.raises(InvalidOption, match="raw, log_odds, probability"):
        in_space(classifier(bent), "odds", (0,))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([0.1, 0.9], "shape"),
        ([[0.1, 0.9], [0.1, 0.9]], "shape"),
        ([[0.1, 0.2, 0.7]], "3 columns"),
        ([[np.nan, 0.5]], "not finite"),
        ([[np.inf, 0.5]], "not finite"),
        ([[-0.5, 1.5]], "not probabilities"),
        ([[0.9, 0.9]], "not probabilities"),
        ([["good", "bad"]], "read as numbers"),
    ],
)
def test_an_answer_that_is_none_is_a_failed_model(values, says):
    """Wrong shapes, NaN, infinity, text and numbers that are no probabilities raise ModelFailed saying which."""
    with pytest.raises(ModelFailed, match=says):
        in_space(answering(values), "probability", (1,))(ROWS[:1])


def test_a_margin_of_the_wrong_width_is_a_failed_model():
    """Three margins of a two-class model are refused, not cut."""
    model = answering([[0.5, 0.5]], link="logistic", margin=lambda x: np.zeros((len(x), 3)))
    with pytest.raises(ModelFailed, match="margin has 3 columns"):
        in_space(model, "raw", (1,))(ROWS[:1])


def test_blocks_do_not_change_the_answer():
    """More rows than one block holds are answered as if they had come one by one, and no rows give none."""
    rows = np.tile(ROWS, (BLOCK // 5, 1))
    game = in_space(regression(bent), "raw", (0,))
    assert np.array_equal(in_blocks(game, rows)[:, 0], bent(rows))
    assert in_blocks(game, rows[:0]).shape == (0, 1)


def test_a_timed_game_foresees_what_a_call_and_its_rows_take():
    """Of a game of 5 ms a call and 100 microseconds a row, 2,000 rows are foreseen to take 0.2 s, not 50 times as long
    as a call of one row; before any call nothing is known."""

    def slow(rows):
        time.sleep(0.005 + 1e-4 * len(rows))
        return rows

    timed = Timed(slow)
    assert timed.seconds(1000) == 0.0
    assert timed(np.ones((1, 2))).shape == (1, 2)
    timed(np.ones((100, 2)))
    assert 0.1 < timed.seconds(2000) < 1.0
    assert timed.seconds(2 * BLOCK) > timed.seconds(BLOCK)
