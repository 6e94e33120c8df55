"""Proves that places of workers are taken again, so that labels stay few."""

from __future__ import annotations

from pathlib import Path

from explainer.monitoring.cells import Cells
from explainer.monitoring.gathering import combined, tallies
from explainer.monitoring.slots import PLACE, Slots


def test_a_place_is_taken_again(tmp_path: Path) -> None:
    """A hundred workers one after another have one place; who takes it over is told apart from who is new."""
    slots = Slots(Cells(tmp_path, "dispatcher"))
    assert slots.take("m", "1", 100) is False
    assert slots.take("m", "1", 200) is False
    for pid in range(300, 400):
        slots.leave("m", "1", pid - 1 if pid > 300 else 200)
        assert slots.take("m", "1", pid) is True
    found = combined(tallies(tmp_path), (), ())
    assert {key: v for key, (v,) in found.items() if key[0] == PLACE} == {
        (PLACE, "m", "1", "0"): 100.0,
        (PLACE, "m", "1", "1"): 399.0,
    }


def test_leaving_twice_or_without_a_place_changes_nothing(tmp_path: Path) -> None:
    """A worker whose opening failed never had a place."""
    slots = Slots(Cells(tmp_path, "dispatcher"))
    slots.leave("m", "1", 7)
    slots.take("m", "1", 8)
    slots.leave("m", "1", 8)
    slots.leave("m", "1", 8)
    assert combined(tallies(tmp_path), (), ())[PLACE, "m", "1", "0"] == (0.0,)
