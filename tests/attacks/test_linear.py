"""A linear model is gone after as many answers as its registration says."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.records import Feature, OpenReport
from explainer.registry.giveaway import giveaway
from tests.house import House, many_features
from tests.registry.folders import FEATURES

RNG = np.random.default_rng(0)


def report(structure: str) -> OpenReport:
    return OpenReport("sklearn", "1.9", 2, structure, {})  # type: ignore[arg-type]


def columns(features: tuple[Feature, ...], rows: np.ndarray) -> np.ndarray:
    """One column for the constant, for each number, for each category but the first, and for missing."""
    found = [np.ones(len(rows))]
    for feature, cells in zip(features, rows.T, strict=True):
        known = np.nan_to_num(cells)
        if feature.type == "category":
            found += [np.where(np.isnan(cells), 0.0, known == k) for k in range(1, len(feature.categories))]
        else:
            found.append(known)
        if feature.nullable:
            found.append(np.isnan(cells).astype(float))
    return np.array(found).T


def drawn(features: tuple[Feature, ...], count: int) -> np.ndarray:
    cells = [
        RNG.integers(len(f.categories), size=count) if f.type == "category" else RNG.normal(size=count)
        for f in features
    ]
    rows = np.array(cells, dtype=float).T
    for i, feature in enumerate(features):
        if feature.nullable:
            rows[RNG.random(count) < 0.5, i] = np.nan
    return rows


def test_as_many_scores_as_it_says_recover_every_weight(house: House) -> None:
    """Log odds of random rows, as many as the notice names, solve for the weights; one fewer does not."""
    manifest = house.register().manifest
    (notice,) = giveaway(manifest, report("linear"))
    count = int(notice.detail.split(" scores")[0].split()[-1])
    weights = RNG.normal(size=columns(FEATURES, drawn(FEATURES, 1)).shape[1])
    assert count == len(weights)
    for _ in range(200):
        asked = columns(FEATURES, drawn(FEATURES, count))
        if np.linalg.cond(asked) < 1e4:
            break
    recovered = np.linalg.solve(asked, asked @ weights)
    np.testing.assert_allclose(recovered, weights, atol=1e-9)
    assert np.linalg.matrix_rank(asked[1:]) < count


def test_two_full_explanations_recover_a_model_of_numbers() -> None:
    """Attributions of two rows give slope and mean of each number; rounding to 0.05 hides almost nothing."""
    features = many_features(12)
    slopes, middle = RNG.normal(size=12), RNG.normal(size=12)
    rows = RNG.normal(size=(2, 12)) * 3
    told = slopes * (rows - middle)
    recovered = (told[0] - told[1]) / (rows[0] - rows[1])
    np.testing.assert_allclose(recovered, slopes, atol=1e-9)
    many = RNG.normal(size=(400, 12)) * 3
    rounded = np.round(slopes * (many - middle) / 0.05) * 0.05
    fitted = np.array([np.polyfit(many[:5, i], rounded[:5, i], 1)[0] for i in range(12)])
    assert np.mean(np.sign(many @ fitted) == np.sign(many @ slopes)) > 0.95
    assert len(features) == 12


@pytest.mark.parametrize("structure", ["trees", "none"])
def test_other_models_get_no_such_notice(house: House, structure: str) -> None:
    """The notice is about linear models alone."""
    assert giveaway(house.register().manifest, report(structure)) == ()
