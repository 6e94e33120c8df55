"""Cells of numbers, categories and missing values."""

import numpy as np

from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.partition import Partition, partition
from explainer.records import FloatArray

NUMBER = np.array([0])


def of(column: FloatArray, kind: int = 0, **settings: object) -> Partition:
    options = LimeOptions(**settings)  # type: ignore[arg-type]
    return partition(column[:, None], np.array([kind]), options, np.array([False]))


def test_a_numbers_cells_lie_between_the_quartiles_and_contain_their_upper_border() -> None:
    """Of 0..8 the borders are 2, 4 and 6; 2 lies in the first cell and 2.1 in the second."""
    space = of(np.arange(9.0))
    np.testing.assert_array_equal(space.borders[0], [2, 4, 6])
    assert [int(space.numbers(np.array([v]))[0]) for v in (-5, 2, 2.1, 6, 99)] == [0, 0, 1, 2, 3]
    np.testing.assert_allclose(space.cells.table[0, 0], [3 / 9, 5 / 9, 7 / 9, 1])


def test_deciles_make_ten_cells() -> None:
    """With deciles a hundred distinct numbers fall into ten cells of a tenth each."""
    space = of(np.arange(100.0), discretizer="decile")
    np.testing.assert_allclose(np.diff(space.cells.table[0, 0], prepend=0), 0.1)


def test_missing_numbers_are_a_cell_with_the_backgrounds_share() -> None:
    """Two missing of ten: a last cell of share 0.2 that gives a missing value, and quartiles of the other eight."""
    space = of(np.array([np.nan, 1, 2, 3, 4, np.nan, 5, 6, 7, 8]))
    upto, draws, centre = space.cells.table[0, :3]
    np.testing.assert_allclose(space.borders[0], np.percentile(np.arange(1.0, 9), [25, 50, 75]))
    np.testing.assert_allclose(upto, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert np.isnan(centre[-1])
    assert not draws[-1]
    assert space.numbers(np.array([np.nan]))[0] == space.cells.numbers[0, -1] == 4


def test_a_row_may_miss_what_the_background_never_misses() -> None:
    """A missing value then has a number of its own that no background cell has, so every neighbour differs."""
    space = of(np.arange(9.0))
    assert space.cells.positions(space.numbers(np.array([np.nan])))[0] == -1


def test_a_number_that_is_always_missing_has_one_cell() -> None:
    """With nothing but missing values there are no borders, and the only cell gives a missing value."""
    space = of(np.full(4, np.nan))
    assert space.borders[0] is not None
    assert len(space.borders[0]) == 0
    np.testing.assert_array_equal(space.cells.table[0, :3, 0], [1, 0, np.nan])


def test_categories_are_cells_and_a_missing_one_is_one_more() -> None:
    """Codes 0 and 2 of three, and missing ones: three cells numbered 0, 2 and 3, each a fixed value."""
    space = of(np.array([2.0, 0, 2, np.nan]), kind=3)
    np.testing.assert_array_equal(space.cells.numbers[0], [0, 2, 3])
    np.testing.assert_allclose(space.cells.table[0, 0], [0.25, 0.75, 1])
    np.testing.assert_array_equal(space.cells.table[0, 2], [0, 2, np.nan])
    assert not space.cells.table[0, 1].any()


def test_a_cell_that_holds_one_value_gives_that_value() -> None:
    """A constant 7 stays 7; the library would draw 0 for it, and does so with `point_cells="library"`."""
    assert of(np.full(20, 7.0)).cells.table[0, 2, 0] == 7
    assert of(np.full(20, 7.0), point_cells="library").cells.table[0, 2, 0] == 0


def test_a_draw_stays_within_the_edges_of_its_cell() -> None:
    """The distribution function runs from the lower to the upper edge: low and mass are those of the cut normal."""
    from scipy.special import ndtri

    space = of(np.array([0.0, 1, 2, 10, 11, 12, 20, 23, 30, 31, 37, 45, 60, 61, 70, 90]))
    _, draws, centre, spread, low, mass = space.cells.table[0]
    assert draws.all()
    edges = [0, *space.borders[0], 90]  # type: ignore[misc]
    np.testing.assert_allclose(centre + spread * ndtri(low), edges[:-1], atol=1e-9)
    np.testing.assert_allclose(centre + spread * ndtri(low + mass), edges[1:], atol=1e-9)


def test_without_discretisation_only_numbers_that_can_be_missing_have_cells() -> None:
    """A category, a number with gaps, and a number that is missing in the row have cells; the rest is normal."""
    data = np.array([[0.0, 1, np.nan, 3], [1, 2, 5, 4], [1, 4, 6, 8]])
    missing = np.array([False, False, False, True])
    space = partition(data, np.array([2, 0, 0, 0]), LimeOptions(discretizer=None), missing)
    assert space.celled.tolist() == [0, 2, 3]
    assert space.normal.tolist() == [1]
    np.testing.assert_allclose([space.mean[1], space.scale[1]], [data[:, 1].mean(), data[:, 1].std()])
