"""What `engine` promises: one checked explanation per row and class, to the same bits in any company."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from explainer.attribution.engine import KEPT, Engine
from explainer.attribution.methods import exact, kernel, linear, permutation
from explainer.attribution.model import OpenedModel, Replica
from explainer.attribution.ports import Attributions
from explainer.errors import InvalidOption, InvalidRows, ModelFailed
from explainer.records import ExplainOptions
from tests.attribution.fakes import (
    bent,
    classifier,
    manifest,
    mixed_rows,
    network,
    regression,
    softmax,
    subject,
    tree_model,
)

METHODS = (linear.METHOD, exact.METHOD, permutation.METHOD, kernel.METHOD)
BINARY = subject(classifier(bent), mixed_rows(12, 0))
ROWS = mixed_rows(5, 1)
AUTO = ExplainOptions()
SAMPLED = ExplainOptions(method="permutation")


def engine(of=BINARY, methods=METHODS):
    return Engine(of, methods)


def explained(options, of=BINARY, rows=ROWS):
    return engine(of).explain(rows, options, manifest(of))


def test_an_explanation_says_everything_about_itself():
    """Prediction, expected value, class, output, method, evaluations, background and gap are those of this row."""
    (one,) = explained(AUTO)[2]
    p = BINARY.model.predict(ROWS)[2, 1]
    assert one.prediction == pytest.approx(p, rel=1e-12)
    assert one.expected_value == pytest.approx(BINARY.model.predict(mixed_rows(12, 0))[:, 1].mean(), rel=1e-12)
    assert one.expected_value + sum(one.attributions) == pytest.approx(p, abs=1e-12)
    assert (one.class_name, one.output, one.confidence, one.warnings) == ("yes", "probability", 0.95, ())
    assert (one.method.name, one.method.version, one.method.exact, one.method.seed) == ("exact", 1, True, None)
    assert one.method.background == "default:" + "b" * 12
    assert one.method.evaluations > 12
    assert 0 <= one.method.additivity_gap < 1e-12
    assert one.standard_errors == (0.0,) * 6


def test_a_sampled_answer_tells_its_seed_and_error():
    """A derived seed is reported and, set by the caller, gives the same numbers again; errors are positive."""
    (one,) = explained(SAMPLED)[0]
    assert not one.method.exact
    assert max(one.standard_errors) > 0
    (again,) = explained(replace(SAMPLED, seed=one.method.seed))[0]
    assert again.attributions == one.attributions
    (other,) = explained(replace(SAMPLED, seed=3))[0]
    assert other.method.seed == 3
    assert other.attributions != one.attributions


@pytest.mark.parametrize("method", ["auto", "permutation", "kernel"])
def test_a_row_has_the_same_bits_alone_and_in_company(method):
    """Each row of an MLP explained alone, in another order, and twice, equals itself among the others to the bit."""
    rows = np.nan_to_num(mixed_rows(4, 6))
    options = ExplainOptions(method=method, class_name="all", max_evaluations=6000)
    together = explained(options, network(), rows)
    assert together == explained(options, network(), rows[::-1])[::-1]
    assert together == [explained(options, network(), row[None])[0] for row in rows]
    assert len({one.attributions for (_, one) in together}) == 4


def test_predictions_have_the_same_bits_alone_and_in_company():
    """A row's prediction by an MLP does not depend on how many rows it came with, and explain reports that one."""
    rows = np.nan_to_num(mixed_rows(40, 6))
    of = engine(network())
    together = of.predict(rows)
    assert np.array_equal(together, np.concatenate([of.predict(row[None]) for row in rows]))
    assert together.shape == (40, 2)
    assert of.explain(rows[:1], AUTO, manifest(network()))[0][0].prediction == together[0, 1]


SCRIPT = """
import numpy as np
from explainer.attribution.engine import Engine
from explainer.attribution.methods import exact, permutation
from explainer.records import ExplainOptions
from tests.attribution.fakes import manifest, mixed_rows, network
engine = Engine(network(), [exact.METHOD, permutation.METHOD])
for name in ("exact", "permutation"):
    print(engine.explain(np.nan_to_num(mixed_rows(2, 6)), ExplainOptions(method=name), manifest(network())))
"""


def test_another_process_gives_the_same_bits():
    """A fresh process with another hash seed prints the explanations of this one, digit for digit."""
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", SCRIPT]
    theirs = subprocess.run(command, env={**os.environ, **single}, capture_output=True, text=True, check=True).stdout
    rows = np.nan_to_num(mixed_rows(2, 6))
    with threadpool_limits(1):
        ours = [explained(ExplainOptions(method=name), network(), rows) for name in ("exact", "permutation")]
    assert theirs == "".join(f"{one}\n" for one in ours)


def test_all_classes_are_explained_at_once_and_agree():
    """`all` gives one explanation per class in order; in two classes every attribution is the other's negative."""
    no, yes = explained(replace(SAMPLED, class_name="all"))[0]
    assert (no.class_name, yes.class_name) == ("no", "yes")
    assert np.allclose(no.attributions, np.negative(yes.attributions), atol=1e-13)
    assert yes.attributions == pytest.approx(explained(SAMPLED)[0][0].attributions, abs=1e-13)


def test_without_a_positive_class_the_predicted_one_is_explained():
    """Rows that are predicted differently are explained for different classes, in the order they came."""
    of = subject(softmax(lambda x: np.stack([x[:, 0], x[:, 1], x[:, 2]], axis=1) * 3, 3), mixed_rows(8, 0))
    rows = np.array([[1.0, 0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0, 0], [0, 1.0, 0, 0, 0, 0]])
    declared = manifest(of, classes=("a", "b", "c"), positive=None)
    got = engine(of).explain(rows, AUTO, declared)
    assert [one.class_name for (one,) in got] == ["a", "c", "b"]
    assert all(one.prediction > 0.8 for (one,) in got)


def test_a_regression_is_explained_in_raw_output():
    """No class, raw output, and the prediction is the model's value."""
    of = subject(regression(bent), mixed_rows(12, 0))
    (one,) = explained(AUTO, of)[1]
    assert (one.class_name, one.output) == (None, "raw")
    assert one.prediction == bent(ROWS[1:2])[0]
    assert engine(of).predict(ROWS).tolist() == bent(ROWS)[:, None].tolist()


def test_rows_of_one_request_may_need_different_methods():
    """A row too costly to enumerate is sampled, its neighbour is not, and both keep their places."""
    near = mixed_rows(12, 0)[0].copy()
    of = subject(classifier(bent), np.concatenate([near[None], near[None] + np.eye(6)[:3]]))
    budget = ExplainOptions(max_evaluations=60)
    names = [one.method.name for (one,) in explained(budget, of, np.stack([ROWS[0], near]))]
    assert names == ["permutation", "exact"]


def test_only_methods_that_can_run_are_listed():
    """A black box offers what needs no structure; a tree model more; every name comes with its version."""
    assert engine().methods() == {"exact": 1, "permutation": 2, "kernel": 1}
    of = subject(tree_model(), np.nan_to_num(mixed_rows(6, 0)[:, :3]))
    assert "tree" in Engine(of).methods()


def test_a_deadline_is_kept_and_told():
    """With a deadline that has all but passed each row gets the least sampling and the warning."""
    got = explained(replace(SAMPLED, deadline_ms=1, tolerance=1e-9))
    for (one,) in got:
        assert {notice.code for notice in one.warnings} == {"deadline-reached", "tolerance-not-met"}
        assert one.expected_value + sum(one.attributions) == pytest.approx(one.prediction, abs=1e-12)


def test_a_generous_deadline_changes_no_number():
    """An answer that comes in time has the very numbers of one without a deadline, up to rounding."""
    (without,), (within,) = explained(SAMPLED)[0], explained(replace(SAMPLED, deadline_ms=600_000))[0]
    assert within.attributions == pytest.approx(without.attributions, abs=1e-14)
    assert within.warnings == ()


def test_rows_of_the_wrong_width_are_refused():
    """A matrix that does not have the schema's width never reaches the model."""
    with pytest.raises(InvalidRows, match=r"\(5, 5\)"):
        explained(AUTO, BINARY, ROWS[:, :5])


def test_a_setting_that_cannot_be_honoured_is_refused():
    """An unknown method and a method without the structure it needs are InvalidOptions."""
    for method in ("magic", "linear"):
        with pytest.raises(InvalidOption, match=method):
            explained(ExplainOptions(method=method))


class Lying:
    """An exact method whose sum is off by a ten-thousandth."""

    name, version, family, rung, summary = "lying", 1, "shap", 1, "Lies."

    def suits(self, subject, ask, row):
        return exact.METHOD.suits(subject, ask, row)

    def prepare(self, subject, ask):
        return self

    def explain(self, rows, seeds, ask):
        honest = exact.METHOD.prepare(BINARY, ask).explain(rows, seeds, ask)
        return Attributions(
            honest.values + 2e-5,
            honest.standard_errors,
            honest.expected,
            honest.predictions,
            honest.evaluations,
            exact=True,
            additive=True,
        )


def test_an_exact_method_that_does_not_add_up_is_never_served():
    """The engine compares with the model's own prediction and withholds the answer."""
    with pytest.raises(ModelFailed, match="withheld"):
        engine(BINARY, [Lying()]).explain(ROWS, AUTO, manifest(BINARY))


def test_trees_that_their_library_adds_in_single_precision_are_explained_with_a_warning():
    """A tree model whose margin is rounded by a few millionths is served, and the warning points at the gap."""
    exact_trees = tree_model()
    rounded = replace(exact_trees, margin=lambda x: exact_trees.margin(x) * (1 + 8e-6))
    of = subject(rounded, np.nan_to_num(mixed_rows(6, 0)[:, :3]))
    options = ExplainOptions(output="raw", method="tree")
    (one,) = Engine(of).explain(np.array([[0.0, -1.0, 0.0]]), options, manifest(of))[0]
    assert [notice.code for notice in one.warnings] == ["single-precision"]
    assert one.method.additivity_gap == pytest.approx(8e-6 * 2.4, rel=1e-3)


def test_a_model_that_answers_differently_each_time_is_explained_with_its_noise():
    """An exact method is no longer called exact: its errors hold the model's noise, and a warning says so."""
    noise = np.random.default_rng(0)
    model = OpenedModel(lambda x: noise.normal(size=(len(x), 1)), "regression", 1, "numpy", "2")
    of = subject(model, mixed_rows(4, 0))
    for (one,) in explained(AUTO, of):
        assert [notice.code for notice in one.warnings] == ["noisy-model"]
        assert one.method.name == "exact"
        assert not one.method.exact
        assert one.method.seed is None
        assert min(one.standard_errors) > 0.9


def test_prepared_methods_are_kept_but_not_without_end():
    """The background is evaluated once for each method, output space and class, and the oldest are let go."""
    calls = []

    def predict(x):
        calls.append(len(x))
        return np.full((len(x), 40), 1 / 40)

    of = subject(OpenedModel(predict, "classification", 40, "numpy", "2"), mixed_rows(7, 0))
    declared = manifest(of, classes=tuple(f"c{i}" for i in range(40)), positive="c0")
    runs = engine(of, [permutation.METHOD])

    def backgrounds(name):
        before = len(calls)
        runs.explain(ROWS[:1], ExplainOptions(class_name=name), declared)
        return calls[before:].count(7)

    assert [backgrounds("c0"), backgrounds("c0")] == [1, 0]
    assert sum(backgrounds(f"c{i}") for i in range(1, KEPT + 1)) == KEPT
    assert backgrounds("c0") == 1


def test_a_proven_replica_says_what_is_predicted_and_the_model_itself_what_coalitions_are_worth():
    """Predictions cost no call of the library; methods that evaluate coalitions still ask the library."""
    model, asked = tree_model(), []

    def library(rows):
        asked.append(len(rows))
        return model.predict(rows)

    twin = Replica(model.predict, model.margin)
    of = subject(replace(model, predict=library, replica=twin), mixed_rows(8, 0)[:, :3])
    ready, rows = engine(of), mixed_rows(3, 4)[:, :3]
    assert np.array_equal(ready.predict(rows), model.predict(rows))
    assert asked == []
    ((one,), *_) = ready.explain(rows, ExplainOptions(method="exact", output="probability"), manifest(of))
    assert one.prediction == model.predict(rows)[0, 1]
    assert sum(asked) > 8


def test_a_replica_that_misses_what_the_method_finds_is_withheld():
    """The sum of attributions is checked against the replica's prediction as against any other."""
    model = tree_model()
    off = Replica(lambda rows: model.predict(rows)[:, ::-1], model.margin)
    of = subject(replace(model, replica=off), mixed_rows(8, 0)[:, :3])
    with pytest.raises(ModelFailed, match="miss the model's prediction"):
        engine(of).explain(mixed_rows(3, 4)[:, :3], ExplainOptions(method="exact", output="probability"), manifest(of))


def test_the_answer_says_which_rule_ended_its_sampling():
    """Nothing where nothing was sampled; the budget, the tolerance and the order of the features each by its name."""
    rules = [
        explained(options)[0][0].method.stopped
        for options in (
            ExplainOptions(method="exact"),
            SAMPLED,
            replace(SAMPLED, tolerance=0.2),
            replace(SAMPLED, separate=1, max_evaluations=100_000),
        )
    ]
    assert rules == [None, "evaluations", "tolerance", "ranks"]


def test_a_method_that_does_not_work_towards_an_order_says_where_it_is_open():
    """LIME asked to part all six features, of which some hardly matter: the notice, once."""
    alike = subject(regression(lambda x: x[:, 0] * x[:, 1] * x[:, 2] + 1e-9 * x[:, 4]), mixed_rows(12, 0))
    options = ExplainOptions(method="lime", separate=6, max_evaluations=600)
    (one,) = Engine(alike).explain(np.nan_to_num(ROWS[:1]), options, manifest(alike))[0]
    assert [n.code for n in one.warnings].count("ranks-not-separated") == 1
