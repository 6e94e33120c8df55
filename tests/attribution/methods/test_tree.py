from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.game import in_space
from explainer.attribution.maskers import background
from explainer.attribution.methods.tree import METHOD
from explainer.attribution.model import Columns, Link, OpenedModel, Trees
from explainer.attribution.ports import Ask, Subject
from explainer.attribution.trees.evaluate import evaluate
from explainer.records import FloatArray, OutputSpace
from tests.attribution.fakes import brute_force
from tests.attribution.trees.forests import random_trees

FEATURES, SEEDS = 4, [0, 0, 0]


def one_hot(rows: FloatArray) -> FloatArray:
    """Feature 3 is a category of three, which becomes three columns; the others stay."""
    hot = (rows[:, 3:4] == np.arange(3)).astype(float)
    return np.concatenate([rows[:, :3], hot], axis=1)


COLUMNS = Columns(one_hot, np.array([0, 1, 2, 3, 3, 3]))


def rows(seed: int, n: int) -> FloatArray:
    r = np.random.default_rng(seed)
    x = r.integers(-3, 4, size=(n, FEATURES)) / 2.0
    x[:, 3] = r.integers(0, 3, n)
    return x


def model(link: Link, margins: int, outputs: int, trees: Trees) -> OpenedModel:
    def margin(x: FloatArray) -> FloatArray:
        return evaluate(trees, one_hot(x))

    def predict(x: FloatArray) -> FloatArray:
        m = margin(x)
        if link == "logistic":
            p = 1 / (1 + np.exp(-m[:, 0]))
            return np.stack([1 - p, p], axis=1)
        if link == "softmax":
            return np.asarray(np.exp(m) / np.exp(m).sum(axis=1, keepdims=True))
        return m

    task = "regression" if outputs == 1 else "classification"
    return OpenedModel(predict, task, outputs, "fake", "1", link, margin, COLUMNS, trees)


def subject(link: Link = "identity", margins: int = 1, outputs: int = 1, *, seed: int = 1) -> Subject:
    trees = random_trees(seed, columns=6, depth=4, outputs=margins, trees=5)
    if link == "identity" and outputs > 1:
        share = np.exp(trees.value) / np.exp(trees.value).sum(axis=1, keepdims=True) / len(trees.roots)
        trees = replace(trees, value=np.where((trees.left < 0)[:, None], share, 0.0), base=np.zeros(margins))
    against = background(rows(7, 12), "b" * 64)
    names, labels = tuple("abcd"), ((), (), (), ("x", "y", "z"))
    return Subject(model(link, margins, outputs, trees), "m" * 64, against, np.array([0, 0, 0, 3]), names, labels)


CASES = [
    ("identity", 1, 1, "raw", (0,), True),
    ("identity", 3, 3, "probability", (2, 0), True),
    ("identity", 2, 2, "raw", (0, 1), True),
    ("logistic", 1, 2, "raw", (0, 1), True),
    ("logistic", 1, 2, "log_odds", (1,), True),
    ("logistic", 1, 2, "probability", (0, 1), False),
    ("softmax", 3, 3, "raw", (1, 2), True),
    ("softmax", 3, 3, "probability", (0, 1, 2), False),
    ("softmax", 3, 3, "log_odds", (2,), False),
]


@pytest.mark.parametrize(("link", "margins", "outputs", "space", "asked", "tables"), CASES)
def test_every_exact_space_agrees_with_enumeration_over_raw_features(
    link: Link, margins: int, outputs: int, space: OutputSpace, asked: tuple[int, ...], tables: bool
) -> None:
    """A pipeline's one-hot columns are one player; values, expected and predictions are those of the model itself."""
    of, ask, x = subject(link, margins, outputs), Ask(space, asked), rows(9, 3)
    suited = METHOD.suits(of, ask, x[0])
    assert suited.fits
    assert suited.exact
    given = METHOD.prepare(of, ask).explain(x, SEEDS, ask)
    game = in_space(of.model, space, asked)
    for i in range(3):
        truth = brute_force(game, x[i], of.background.rows, of.background.weights)
        assert np.allclose(given.values[i], truth, rtol=0, atol=1e-10)
    assert np.allclose(given.predictions, game(x), rtol=0, atol=1e-12)
    assert np.allclose(given.expected[0], of.background.weights @ game(of.background.rows), rtol=0, atol=1e-12)
    assert np.allclose(given.expected + given.values.sum(axis=1), given.predictions, rtol=0, atol=1e-9)
    assert (given.evaluations == 0).all() == tables
    assert not given.standard_errors.any()


@pytest.mark.parametrize("space", ["raw", "probability"])
def test_a_rows_bits_do_not_depend_on_its_company(space: OutputSpace) -> None:
    """Rows explained together and one by one have the same bits."""
    of, ask, x = subject("logistic", 1, 2), Ask(space, (1,)), rows(3, 20)
    prepared = METHOD.prepare(of, ask)
    together = prepared.explain(x, [0] * 20, ask)
    for i in (0, 7, 19):
        alone = prepared.explain(x[i : i + 1], [0], ask)
        assert np.array_equal(alone.values[0], together.values[i])
        assert np.array_equal(alone.predictions[0], together.predictions[i])


def test_the_negative_class_is_the_mirror_of_the_positive() -> None:
    """Raw values of class 0 are minus those of class 1, and no value is a negative zero."""
    of, ask, x = subject("logistic", 1, 2), Ask("raw", (0, 1)), rows(9, 3)
    values = METHOD.prepare(of, ask).explain(x, SEEDS, ask).values
    assert np.array_equal(values[:, :, 0], -values[:, :, 1])
    assert not np.signbit(values[values == 0.0]).any()


def test_too_many_coalitions_are_refused_with_the_number_allowed() -> None:
    """max_evaluations bounds the coalitions of one row; more by name than by auto is allowed otherwise."""
    of, x = subject("logistic", 1, 2), rows(9, 1)[0]
    refused = METHOD.suits(of, Ask("probability", (1,), max_evaluations=5), x)
    assert not refused.fits
    assert "more than the 5 coalitions" in refused.why
    assert METHOD.suits(of, Ask("probability", (1,), max_evaluations=12 * 2**FEATURES), x).fits


def test_what_is_not_a_sum_of_trees_is_refused_in_words() -> None:
    """No trees, or an output that the trees say nothing about."""
    of = subject("identity", 3, 3)
    assert "say what output log_odds is" in METHOD.suits(of, Ask("log_odds", (0,)), rows(1, 1)[0]).why
    plain = replace(of, model=replace(of.model, trees=None))
    assert "not known to be a tree ensemble" in METHOD.suits(plain, Ask("raw", (0,)), rows(1, 1)[0]).why
    with pytest.raises(ValueError, match="needs a model with trees"):
        METHOD.prepare(plain, Ask("raw", (0,)))
    with pytest.raises(ValueError, match="no output log_odds"):
        METHOD.prepare(of, Ask("log_odds", (0,)))


def test_subjects_are_kept_apart() -> None:
    """What is remembered of one subject is never used for another, however many come."""
    ask, x = Ask("probability", (1,)), rows(9, 1)
    for seed in range(1, 8):
        of = subject("logistic", 1, 2, seed=seed)
        assert METHOD.suits(of, ask, x[0]).fits
        given = METHOD.prepare(of, ask).explain(x, [0], ask)
        assert np.allclose(given.predictions, of.model.predict(x)[:, [1]], rtol=0, atol=1e-12)


def test_a_model_without_an_encoding_reads_the_coded_rows() -> None:
    """Where columns are features, no encoder is needed."""
    of, ask = subject(), Ask("raw", (0,))
    trees = random_trees(3, columns=FEATURES, depth=4)
    bare = replace(of.model, columns=None, trees=trees, predict=lambda x: evaluate(trees, x), margin=None)
    of, x = replace(of, model=bare), rows(5, 3)
    given = METHOD.prepare(of, ask).explain(x, SEEDS, ask)
    truth = brute_force(bare.predict, x[0], of.background.rows, of.background.weights)
    assert np.allclose(given.values[0], truth, rtol=0, atol=1e-11)
