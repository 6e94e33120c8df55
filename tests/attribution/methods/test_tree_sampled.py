"""What `tree_sampled` promises: unbiased values of a link of the trees, honest errors, and less of them than paired."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.engine import Engine
from explainer.attribution.methods import exact, paired, tree
from explainer.attribution.methods.tree_sampled import METHOD, MOST
from explainer.attribution.model import Link, OpenedModel
from explainer.attribution.ports import Ask, Subject
from explainer.attribution.trees.evaluate import evaluate
from explainer.attribution.uncertainty import two_sided
from explainer.records import ExplainOptions, FloatArray, OutputSpace
from tests.attribution import fakes
from tests.attribution.methods.test_tree import rows as coded
from tests.attribution.methods.test_tree import subject as small
from tests.attribution.trees.forests import random_trees

FEATURES = 9


def boosted(link: Link, margins: int, outputs: int, *, seed: int = 3) -> Subject:
    """Forty trees of depth four over nine numbers, whose margins reach far into the link's bends."""
    trees = random_trees(seed, columns=FEATURES, depth=4, outputs=margins, trees=40)
    trees = replace(trees, value=trees.value / 3)

    def margin(x: FloatArray) -> FloatArray:
        return evaluate(trees, x)

    def predict(x: FloatArray) -> FloatArray:
        m = margin(x)
        if link == "logistic":
            p = 1 / (1 + np.exp(-m))
            return np.concatenate([1 - p, p], axis=1)
        e = np.exp(m - m.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    model = OpenedModel(predict, "classification", outputs, "fake", "1", link, margin, None, trees)
    return fakes.subject(model, numbers(1, 20))


def numbers(seed: int, n: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(n, FEATURES))


CASES: list[tuple[Link, int, int, OutputSpace, tuple[int, ...]]] = [
    ("logistic", 1, 2, "probability", (1, 0)),
    ("softmax", 3, 3, "probability", (0, 2)),
    ("softmax", 3, 3, "log_odds", (1,)),
]


@pytest.mark.parametrize(("link", "margins", "outputs", "space", "asked"), CASES)
def test_intervals_hold_the_exact_values_nineteen_times_in_twenty(
    link: Link, margins: int, outputs: int, space: OutputSpace, asked: tuple[int, ...]
) -> None:
    """Nine features, four rows, forty seeds against enumeration: 92 % to 98 %, and no bias."""
    of, x = boosted(link, margins, outputs), numbers(2, 4)
    ask = Ask(space, asked, max_evaluations=1200)
    truth = exact.METHOD.prepare(of, ask).explain(x, [0] * 4, ask).values
    ready = METHOD.prepare(of, ask)
    runs = [ready.explain(x, range(10 * s, 10 * s + 4), ask) for s in range(40)]
    off = np.stack([run.values - truth for run in runs])
    stated = np.stack([run.standard_errors for run in runs])
    assert 0.92 <= (np.abs(off) <= two_sided(0.95) * stated + 1e-9).mean() <= 0.98
    assert np.abs(off.mean(axis=0) / (np.sqrt((stated**2).mean(axis=0) / 40) + 1e-12)).max() < 4.5


def test_it_has_less_error_than_paired_for_the_same_number_of_coalitions() -> None:
    """Four rows and twenty seeds, trees that are nearly all interactions: at most five sixths of the squared error."""
    of, x = boosted("logistic", 1, 2), numbers(2, 4)
    ask = Ask("probability", (1,), max_evaluations=1200)
    truth = exact.METHOD.prepare(of, ask).explain(x, [0] * 4, ask).values
    errors = []
    for method in (METHOD, paired.METHOD):
        ready = method.prepare(of, ask)
        runs = [ready.explain(x, range(10 * s, 10 * s + 4), ask) for s in range(20)]
        errors.append(np.mean([((run.values - truth) ** 2).sum() for run in runs]))
    assert errors[0] < errors[1] / 1.2


def test_columns_made_of_one_feature_are_one_player() -> None:
    """Behind a one-hot encoding, few features: all pairs are evaluated, so the values are those of the tree method."""
    of, x = small("logistic", 1, 2), coded(9, 3)
    ask = Ask("probability", (1,))
    truth = tree.METHOD.prepare(of, ask).explain(x, [0] * 3, ask)
    got = METHOD.prepare(of, ask).explain(x, [0] * 3, ask)
    assert got.values == pytest.approx(truth.values, abs=1e-9)
    assert got.stopped == ("converged",) * 3


def test_auto_takes_it_where_coalitions_are_too_many_and_adds_up() -> None:
    """With a budget that enumeration exceeds the ladder ends here, and the engine finds that the sum is right."""
    of = boosted("logistic", 1, 2)
    options = ExplainOptions(max_evaluations=1000)
    (one,) = Engine(of).explain(numbers(5, 1), options, fakes.manifest(of))[0]
    assert one.method.name == "tree_sampled"
    assert not one.method.exact
    assert one.method.evaluations <= 1000
    assert "too many to enumerate" in one.method.reason
    assert one.expected_value + sum(one.attributions) == pytest.approx(one.prediction, abs=1e-9)


def test_it_says_what_it_does_not_fit() -> None:
    """Black boxes, margins, very many features and small budgets are refused with the reason."""
    of, x = boosted("logistic", 1, 2), numbers(2, 1)[0]
    ask = Ask("probability", (1,))
    assert METHOD.suits(of, ask, x).fits
    assert "not known to be" in METHOD.suits(fakes.network(), ask, x[:6]).why
    assert "no link" in METHOD.suits(of, Ask("raw", (1,)), x).why
    assert "at least" in METHOD.suits(of, replace(ask, max_evaluations=10), x).why
    wide = fakes.subject(of.model, np.zeros((1, MOST + 1)))
    assert f"up to {MOST}" in METHOD.suits(wide, ask, np.ones(MOST + 1)).why
    with pytest.raises(ValueError, match="needs a model with trees"):
        METHOD.prepare(fakes.network(), ask)
