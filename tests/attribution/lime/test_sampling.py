"""How many neighbours are drawn, and what ends it."""

import time

import numpy as np
import pytest

from explainer.attribution.game import Timed
from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.partition import partition
from explainer.attribution.lime.sampling import Neighbours, Outcome, sampled, stream
from explainer.attribution.ports import Ask
from explainer.errors import InvalidOption
from explainer.records import FloatArray

DATA = np.random.default_rng(0).normal(size=(100, 20))
ROW = np.full(20, 2.5)


class Model:
    """Two strong effects; with `noise`, twenty that add nothing linear and so cannot be ranked."""

    def __init__(self, noise: bool = False) -> None:
        self.noise = noise
        self.effects = np.eye(20)[0] * 5 + np.eye(20)[1] * 9
        self.calls: list[int] = []

    def __call__(self, rows: FloatArray) -> FloatArray:
        self.calls.append(len(rows))
        return (np.sin(1e3 * rows).sum(axis=1) if self.noise else rows @ self.effects)[:, None]


def run(model: Model, seed: int = 0, **settings: object) -> Outcome:
    options = LimeOptions(samples=600, most_samples=3000)
    space = partition(DATA, np.zeros(20, int), options, np.zeros(20, bool))
    ask = Ask("raw", (0,), **settings)  # type: ignore[arg-type]
    return sampled(Neighbours(Timed(model), space, ROW, options, stream(seed), ask.deadline), ask)


def test_clear_features_settle_in_the_first_round() -> None:
    """The 600 samples to begin with are one call of the model, the row among them, and suffice."""
    model = Model()
    outcome = run(model)
    assert (outcome.end, outcome.samples, outcome.evaluations, model.calls) == ("settled", 600, 600, [600])
    np.testing.assert_allclose(outcome.prediction, ROW @ model.effects)


def test_features_without_effect_do_not_lead_by_chance() -> None:
    """Eighteen of twenty features have no effect; none of 30 seeds takes one of them for a leading feature."""
    assert {run(Model(), seed).end for seed in range(30)} == {"settled"}


def test_unclear_features_double_the_sample_up_to_the_default_budget() -> None:
    """Noise never settles: 600, 600 more, 1,200 more, and the rest up to 3,000."""
    model = Model(noise=True)
    outcome = run(model)
    assert (outcome.end, outcome.samples, model.calls) == ("budget", 3000, [600, 600, 1200, 600])


def test_the_callers_budget_is_kept() -> None:
    """With max_evaluations of 777 the model sees 777 rows where it could do with more."""
    model = Model(noise=True)
    assert run(model, max_evaluations=777).samples == sum(model.calls) == 777
    assert run(Model(), max_evaluations=100).samples == 100


def test_too_small_a_budget_is_refused() -> None:
    """Below 50 model rows there is no answer but an error that names the setting and the least."""
    with pytest.raises(InvalidOption, match=r"max_evaluations is 49; LIME needs at least 50"):
        run(Model(), max_evaluations=49)


def test_a_tolerance_asks_for_more_samples() -> None:
    """Stable features do not settle while a confidence interval is wider than the tolerance."""
    first = run(Model())
    halfway = 1.96 * first.surrogate.standard_errors.max() / 1.6
    outcome = run(Model(), tolerance=halfway)
    assert outcome.end == "settled"
    assert outcome.samples > 600
    assert 1.96 * outcome.surrogate.standard_errors.max() <= halfway
    assert run(Model(), tolerance=1e-9).end == "budget"


def test_a_deadline_that_has_passed_gives_one_call_of_500_rows() -> None:
    """The least work is one chunk; what was drawn beyond it is not used."""
    model = Model()
    outcome = run(model, deadline=time.monotonic() - 1)
    assert (outcome.end, outcome.samples, model.calls) == ("deadline", 50, [50])


def test_a_deadline_that_is_far_changes_nothing() -> None:
    """The numbers with a deadline an hour away are those without one."""
    far, none = run(Model(), deadline=time.monotonic() + 3600), run(Model())
    np.testing.assert_allclose(far.surrogate.coefficients, none.surrogate.coefficients, rtol=1e-12)
    assert far.end == "settled"


def test_a_shortened_sample_is_the_beginning_of_the_whole() -> None:
    """A budget of 50 draws another sample than 600, but a deadline that has passed keeps the first 50 of the 600."""
    options = LimeOptions(samples=600)
    space = partition(DATA, np.zeros(20, int), options, np.zeros(20, bool))
    whole, cut = (
        Neighbours(Timed(Model()), space, ROW, options, stream(4), deadline).sample(600, first=True)
        for deadline in (None, time.monotonic() - 1)
    )
    np.testing.assert_array_equal(cut.design, whole.design[:50])


def test_streams_of_short_seeds_are_numpys_own_and_long_seeds_differ_in_every_word() -> None:
    """Seeds below 2**32 can be handed to the library as they are; longer ones are not cut to their last 32 bits."""
    assert stream(7).random_sample() == np.random.RandomState(7).random_sample()
    assert stream(2**32 - 1).random_sample() == np.random.RandomState(2**32 - 1).random_sample()
    assert len({stream(7 + (high << 32)).random_sample() for high in range(5)}) == 5
