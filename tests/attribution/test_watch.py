"""What `watch` promises: work that nobody waits for is ended before the model is called again."""

import time

import numpy as np
import pytest

from explainer.attribution.engine import Engine
from explainer.attribution.methods import found
from explainer.attribution.watch import EVERY, Watch
from explainer.errors import Cancelled, InvalidOption
from explainer.records import ExplainOptions
from tests.attribution.fakes import bent, classifier, manifest, mixed_rows, subject
from tests.attribution.methods.test_tree_sampled import boosted, numbers

ROWS = np.nan_to_num(mixed_rows(3, 1))


def slow_subject(calls):
    """A classifier whose calls take longer than EVERY, so that each is asked before."""

    def margin(x):
        calls.append(len(x))
        time.sleep(2 * EVERY)
        return bent(x)

    return subject(classifier(margin, shows_margin=False), np.nan_to_num(mixed_rows(12, 0)))


@pytest.mark.parametrize("method", ["exact", "paired", "permutation", "kernel", "lime", "conditional"])
def test_every_method_ends_before_the_next_call_of_the_model(method):
    """The caller leaves after the third call: Cancelled, and the model is not called again."""
    calls = []
    of = slow_subject(calls)
    options = ExplainOptions(method=method)
    with pytest.raises(Cancelled, match="no longer waits"):
        Engine(of).explain(ROWS, options, manifest(of), lambda: len(calls) >= 3)
    assert len(calls) == 3


def test_trees_that_answer_without_the_model_ask_between_portions():
    """A sampling of ten million coalitions, which would take many seconds, ends at the third question."""
    asked = []
    of = boosted("logistic", 1, 2)
    options = ExplainOptions(method="tree_sampled", tolerance=1e-12, max_evaluations=10_000_000)
    with pytest.raises(Cancelled):
        Engine(of).explain(numbers(2, 1), options, manifest(of), lambda: len(asked) > 2 or bool(asked.append(1)))


def test_interactions_end_as_well():
    """The engine of pairs asks too."""
    calls = []
    of = slow_subject(calls)
    with pytest.raises(Cancelled):
        Engine(of).pairs.explain(ROWS, ExplainOptions(), manifest(of), lambda: len(calls) >= 2)
    assert len(calls) == 2


@pytest.mark.parametrize("method", ["exact", "paired", "lime"])
def test_an_engine_that_was_stopped_answers_the_next_caller_as_ever(method):
    """Being stopped at any call leaves nothing behind: the next answer has the bits of a new engine's."""
    calls = []
    of = slow_subject(calls)
    options = ExplainOptions(method=method, max_evaluations=3000)
    fresh = Engine(of).explain(ROWS, options, manifest(of))
    one = Engine(of)
    for most in range(4):
        calls.clear()
        with pytest.raises(Cancelled):
            one.explain(ROWS, options, manifest(of), lambda most=most: len(calls) >= most)
    assert one.explain(ROWS, options, manifest(of)) == fresh


@pytest.mark.parametrize("method", [m.name for m in found()])
def test_a_caller_who_waits_changes_no_bit(method):
    """Being watched parts the rows otherwise, and every number is the same."""
    of = subject(classifier(bent), np.nan_to_num(mixed_rows(12, 0)))
    options = ExplainOptions(method=method, max_evaluations=3000)
    try:
        alone = Engine(of).explain(ROWS, options, manifest(of))
    except InvalidOption:
        assert method in {"linear", "tree", "tree_path", "tree_sampled"}
        return
    assert Engine(of).explain(ROWS, options, manifest(of), lambda: False) == alone


def test_nobody_is_asked_more_often_than_every_few_milliseconds():
    """A thousand looks in a moment are one question, and outside `over` none at all."""
    asked = []
    watch = Watch()
    watch.look()
    with watch.over(lambda: bool(asked.append(1))):
        began = time.monotonic()
        for _ in range(1000):
            watch.look()
        most = 1 + (time.monotonic() - began) / EVERY
    watch.look()
    assert 1 <= len(asked) <= most
