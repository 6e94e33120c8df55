"""The numpy encoder applies steps in order and looks categories up."""

from __future__ import annotations

import numpy as np

from explainer.formats.structure.encoder import Encoder
from explainer.formats.structure.tracks import Step, Track


def test_steps_are_applied_in_order_to_each_column() -> None:
    """Columns with different numbers of steps stand side by side; NaN is filled where a step says so."""
    tracks = [
        Track(0, False, (Step("fill", 5.0), Step("subtract", 1.0), Step("divide", 2.0))),
        Track(1, False, (Step("missing"),)),
        Track(1, False, (Step("equals", 3.0),)),
        Track(0, False),
        Track(1, False, (Step("multiply", 2.0), Step("add", 1.0), Step("clip", setting=(0.0, 4.0)))),
        Track(0, False, (Step("ufunc", setting=np.square), Step("above", 8.0))),
    ]
    rows = np.array([[np.nan, 3.0], [3.0, np.nan]])
    expected = [[2.0, 0.0, 1.0, np.nan, 4.0, 0.0], [1.0, 1.0, 0.0, 3.0, np.nan, 1.0]]
    assert np.array_equal(Encoder(tracks, {})(rows), expected, equal_nan=True)


def test_a_number_may_stand_for_missing() -> None:
    """A marker other than NaN is filled and indicated, and NaN is then a number like any other."""
    tracks = [Track(0, False, (Step("fill", 7.0, -1.0),)), Track(0, False, (Step("missing", setting=-1.0),))]
    found = Encoder(tracks, {})(np.array([[-1.0], [np.nan]]))
    assert np.array_equal(found, [[7.0, 1.0], [np.nan, 0.0]], equal_nan=True)


def test_codes_are_looked_up_with_missing_last() -> None:
    """Each tabled column takes its own column of the feature's table."""
    table = np.array([[10.0, 11.0, 12.0], [20.0, 21.0, 22.0], [90.0, 91.0, 92.0]])
    tracks = [Track(1, True), Track(0, False), Track(1, True)]
    found = Encoder(tracks, {1: table})(np.array([[0.5, 1.0], [0.5, np.nan]]))
    assert found.tolist() == [[20.0, 0.5, 22.0], [90.0, 0.5, 92.0]]
