"""Neighbours against the rows that the `lime` library itself hands to a model."""

import numpy as np
import pytest
from lime.lime_tabular import LimeTabularExplainer

from explainer.attribution.lime.neighbourhood import draw
from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.partition import partition
from explainer.records import FloatArray


def library_rows(data: FloatArray, kinds: list[int], row: FloatArray, options: LimeOptions, seed: int) -> FloatArray:
    seen: list[FloatArray] = []

    def model(rows: FloatArray) -> FloatArray:
        seen.append(rows.copy())
        return rows.sum(axis=1)

    LimeTabularExplainer(
        data,
        mode="regression",
        categorical_features=np.flatnonzero(kinds).tolist(),
        discretize_continuous=options.discretizer is not None,
        discretizer=options.discretizer or "quartile",
        sample_around_instance=options.around_row,
        random_state=seed,
    ).explain_instance(row, model, num_samples=400)
    return seen[0]


@pytest.mark.parametrize("seed", [0, 1, 4_294_967_295])
@pytest.mark.parametrize(
    "settings",
    [{}, {"discretizer": "decile"}, {"discretizer": None}, {"discretizer": None, "around_row": True}],
    ids=["quartile", "decile", "around the mean", "around the row"],
)
def test_neighbours_are_the_librarys_for_the_same_stream(settings: dict[str, object], seed: int) -> None:
    """Skewed, tied, constant, integer and categorical columns: every value is the library's to 1e-9 of its size."""
    random = np.random.default_rng(7)
    data = np.column_stack(
        [
            random.normal(size=200),
            random.exponential(1e4, size=200),
            np.maximum(random.normal(size=200), 0.3),
            np.full(200, 5.0),
            random.integers(0, 4, size=200),
            random.integers(0, 3, size=200),
            random.integers(0, 2, size=200) * 2,
        ]
    ).astype(float)
    kinds = [0, 0, 0, 0, 0, 3, 3]
    options = LimeOptions(point_cells="library", **settings)  # type: ignore[arg-type]
    space = partition(data, np.array(kinds), options, np.zeros(7, bool))
    row = data[3]
    ours = draw(space, row, 400, np.random.RandomState(seed), first=True, around_row=options.around_row)
    theirs = library_rows(data, kinds, row, options, seed)
    np.testing.assert_allclose(ours.rows, theirs, rtol=1e-9, atol=1e-9)


def test_distance_counts_the_cells_that_differ() -> None:
    """With cells alone the squared distance of a neighbour is how many of its features left the row's cell."""
    data = np.random.default_rng(1).normal(size=(100, 4))
    space = partition(data, np.zeros(4, int), LimeOptions(), np.zeros(4, bool))
    near = draw(space, data[0], 300, np.random.RandomState(0), first=True)
    cells = np.array([space.numbers(row) for row in near.rows])
    np.testing.assert_array_equal(near.squared, (cells != cells[0]).sum(axis=1))
    np.testing.assert_array_equal(near.design, cells == cells[0])


def test_a_missing_value_comes_as_often_as_in_the_background() -> None:
    """A quarter of the background's values is missing, and so is a quarter of the neighbours', within 4 errors."""
    column = np.array([1.0, 2, 3, np.nan] * 10)
    space = partition(column[:, None], np.array([0]), LimeOptions(), np.array([False]))
    near = draw(space, np.array([np.nan]), 4000, np.random.RandomState(0), first=False)
    assert abs(np.isnan(near.rows).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4000)
    np.testing.assert_array_equal(near.design[:, 0], np.isnan(near.rows[:, 0]))


def test_without_the_row_every_neighbour_is_drawn() -> None:
    """`first=False` gives random neighbours only: none equals the row in all of its continuous features."""
    data = np.random.default_rng(1).normal(size=(100, 3))
    space = partition(data, np.zeros(3, int), LimeOptions(), np.zeros(3, bool))
    near = draw(space, data[0], 100, np.random.RandomState(0), first=False)
    assert not (near.rows == data[0]).any()
