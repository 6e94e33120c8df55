"""Proves how the numbers of several processes become one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from explainer.monitoring.gathering import Tally, combined, tallies
from explainer.monitoring.layout import Owner

NOBODY = Owner(0, 0, 0.0)


def tally(alive: bool, **values: tuple[float, ...]) -> Tally:
    return Tally("web", "0", NOBODY, alive, {(name,): numbers for name, numbers in values.items()})


def test_counts_of_all_and_levels_of_the_living_are_added_up() -> None:
    """A dead process keeps its counts, and has no level any more."""
    found = [
        tally(True, count=(1.0,), level=(5.0,)),
        tally(False, count=(2.0,), level=(7.0,)),
        tally(True, level=(1.0,)),
    ]
    assert combined(found, {"level"}, ()) == {("count",): (3.0,), ("level",): (6.0,)}


def test_of_what_all_see_alike_the_largest_is_taken() -> None:
    """The size of a tier that processes share is not added up."""
    found = [tally(True, size=(5.0,)), tally(True, size=(7.0,)), tally(True, size=(6.0,))]
    assert combined(found, {"size"}, {"size"}) == {("size",): (7.0,)}


def test_histograms_of_another_form_are_not_mixed() -> None:
    """Files of an older program with other buckets do not shift the counts of the present ones."""
    assert combined([tally(False, time=(1.0, 2.0)), tally(True, time=(1.0, 1.0, 3.0))], (), ()) == {
        ("time",): (1.0, 1.0, 3.0)
    }


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that is just being created is passed over in silence; rubbish is not."""
    (tmp_path / "web-0.cells").write_bytes(b"rubbish" * 100)
    (tmp_path / "web-1.cells").touch()
    (tmp_path / "web-2.cells").write_bytes(bytes(1 << 16))
    with caplog.at_level(logging.ERROR):
        assert tallies(tmp_path) == []
    assert caplog.text.count("cannot be read") == 1
    assert "web-0.cells" in caplog.text
