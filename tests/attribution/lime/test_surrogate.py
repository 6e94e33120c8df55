"""The local linear model against scikit-learn, and its errors against the spread over many samples."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from explainer.attribution.lime.surrogate import Sample, fit, kernel, stability
from explainer.records import FloatArray


def sample(seed: int, size: int, features: int, shape: FloatArray | None = None) -> Sample:
    """Neighbours in or out of the row's cell, and outputs that a linear model does not explain fully."""
    random = np.random.default_rng(seed)
    design = (random.random((size, features)) < 0.3).astype(float)
    design[0] = 1
    weights = shape if shape is not None else np.linspace(1, -1, features)
    outputs = np.tanh(design @ weights) + design[:, 0] * (1 - design[:, -1]) + random.normal(size=size) * design[:, 0]
    return Sample(design, np.stack([outputs, -2 * outputs], axis=1), kernel(features - design.sum(axis=1), 1.5))


@pytest.mark.parametrize(("size", "features"), [(60, 1), (60, 4), (500, 12), (50, 80)])
def test_the_fit_is_scikit_learns_weighted_ridge(size: int, features: int) -> None:
    """Coefficients, intercept and weighted R2 are those of Ridge(alpha=1), with more features than rows too."""
    data = sample(0, size, features)
    ours = fit(data, 1.0, 1.96)
    for k in range(2):
        theirs = Ridge(alpha=1).fit(data.design, data.outputs[:, k], sample_weight=data.weights)
        np.testing.assert_allclose(ours.coefficients[:, k], theirs.coef_, rtol=1e-9, atol=1e-12)
        assert ours.intercept[k] == pytest.approx(theirs.intercept_, rel=1e-9)
        score = theirs.score(data.design, data.outputs[:, k], sample_weight=data.weights)
        assert ours.r2[k] == pytest.approx(score, rel=1e-9)


def test_the_kernel_is_the_librarys() -> None:
    """A neighbour at the distance of the kernel's width weighs exp(-1/2), the row itself 1."""
    np.testing.assert_allclose(kernel(np.array([0.0, 4.0]), 2.0), [1, np.exp(-0.5)])


@pytest.mark.parametrize("size", [60, 200, 2000])
def test_standard_errors_are_the_spread_over_samples(size: int) -> None:
    """Over 400 samples the mean stated error of each weight is within 20 % of the spread that is seen."""
    fits = [fit(sample(seed, size, 5), 1.0, 1.96) for seed in range(400)]
    seen = np.std([f.coefficients[:, 0] for f in fits], axis=0, ddof=1)
    stated = np.sqrt(np.mean([f.standard_errors[:, 0] ** 2 for f in fits], axis=0))
    assert (stated / seen).min() > 0.83
    assert (stated / seen).max() < 1.2


def test_errors_scale_with_the_output() -> None:
    """An output of minus twice the size has twice the error, minus twice the weight, the same R2 and stability."""
    found = fit(sample(3, 300, 6), 1.0, 1.96)
    np.testing.assert_allclose(found.coefficients[:, 1], -2 * found.coefficients[:, 0], rtol=1e-9)
    np.testing.assert_allclose(found.standard_errors[:, 1], 2 * found.standard_errors[:, 0], rtol=1e-9)
    assert found.r2[1] == pytest.approx(found.r2[0])
    assert found.stability[1] == found.stability[0]


@pytest.mark.parametrize("level", [0.0, 1e9])
def test_a_constant_output_has_no_weights_no_error_and_nothing_to_be_unstable(level: float) -> None:
    """Weights and errors are 0, the intercept is the constant, R2 and stability are 1."""
    data = sample(0, 200, 3)
    found = fit(Sample(data.design, np.full((200, 1), level), data.weights), 1.0, 1.96)
    assert not found.coefficients.any()
    assert not found.standard_errors.any()
    assert (found.intercept[0], found.r2[0], found.stability[0]) == (level, 1.0, 1.0)


def test_few_strong_features_are_stable_and_pure_noise_is_not() -> None:
    """Two effects far above the noise give 1; outputs that ignore twenty features give halves that disagree."""
    random = np.random.default_rng(0)
    design = (random.random((600, 20)) < 0.5).astype(float)
    design[0] = 1
    noise = random.normal(size=600)
    strong = 10 * design[:, 3] + 20 * design[:, 8] + noise
    found = fit(Sample(design, np.stack([strong, noise], axis=1), np.ones(600)), 1.0, 3.5)
    assert found.stability[0] == 1
    assert found.stability[1] < 0.6


def test_stability_compares_halves_by_hand() -> None:
    """Feature 0 leads in three streams, feature 1 in the other three, each with the other second.

    A half follows the majority of its three streams, and the other half the other kind: they never agree on one
    leading feature, and always on two.
    """
    sums = np.zeros((6, 4, 4))
    sums[:] = np.diag([20.0, 20, 0, 90])
    sums[:3, :2, 2] = [3, 1]
    sums[3:, :2, 2] = [1, 3]
    for count, share in ((1, 0), (2, 1), (0, 1)):
        assert stability(sums, np.zeros((4, 4)), 1.0, np.array([count]))[0] == share


def test_joined_keeps_the_order() -> None:
    """Joining puts the further neighbours after the first, so that row 0 stays the row explained."""
    one, two = sample(0, 60, 3), sample(1, 60, 3)
    both = one.joined(two)
    np.testing.assert_array_equal(both.outputs, np.concatenate([one.outputs, two.outputs]))
    assert len(both.design) == len(both.weights) == 120
