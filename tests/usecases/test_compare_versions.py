"""Two versions on the same rows: which they are, when they cannot be compared, and what is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from explainer.errors import Conflict, InvalidOption, NotFound, NotPermitted
from explainer.records import DecisionSpec, Feature
from explainer.usecases.compare_versions import VersionsAsk, VersionsCompared, compare_versions
from tests.house import House
from tests.registry.folders import FEATURES, ROW
from tests.webui.site import register

ROWS = [{**ROW, "amount": float(i), "months": i + 1} for i in range(24)]


def compared(house: House, role: str = "demo", **changes: Any) -> VersionsCompared:
    return compare_versions(house.rooms, house.serving, house.caller(role), VersionsAsk("credit", **changes))


def two(house: House, **changes: Any) -> None:
    """Version 1 of the small model, and 2 whose features stand in another order."""
    register(house, FEATURES, ROWS, version="1")
    register(house, changes.pop("features", FEATURES[::-1]), changes.pop("rows", ROWS), version="2", **changes)


def test_the_newest_two_are_compared_feature_by_feature(house: House) -> None:
    """Order of features and of categories do not matter: the same additive model differs from itself in nothing."""
    two(house)
    found = compared(house)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.manifest.version, found.after.manifest.version) == ("1", "2")
    assert [v.manifest.version for v in found.served] == ["2", "1"]
    assert found.changes is not None
    assert found.changes.rows == 24
    assert found.changes.mean_absolute == pytest.approx(0, abs=1e-12)
    assert sum(f.rows_beyond for f in found.changes.features) == 0
    assert (found.changes.to_adverse, found.changes.to_favourable, found.thresholds_differ) == (0, 0, False)
    entry = house.entries()[0].entry
    assert (entry.event, entry.outcome) == ("api:versions:compare", "answered")
    assert (entry.body["before"], entry.body["after"], entry.body["rows"]) == ("1", "2", 24)
    assert len(house.entries()) == 1


def test_a_background_is_told_in_sums_and_samples_row_by_row(house: House) -> None:
    """Lines are those of samples alone."""
    two(house)
    background, samples = compared(house).changes, compared(house, rows="samples").changes
    assert background is not None
    assert samples is not None
    assert (len(background.lines), len(samples.lines)) == (0, 24)


def test_each_version_decides_by_its_own_threshold(house: House) -> None:
    """Outcomes flip where the thresholds do, although no prediction changed."""
    two(house, features=FEATURES, decision=DecisionSpec(0.99, "granted", "declined"))
    found = compared(house)
    assert found.changes is not None
    assert found.thresholds_differ
    assert found.changes.to_favourable == 24  # every score is between the two thresholds
    assert found.changes.mean_absolute == 0


def test_a_version_without_a_decision_has_no_outcome(house: House) -> None:
    """Flips are then not told at all."""
    two(house, features=FEATURES, decision=None)
    found = compared(house)
    assert found.changes is not None
    assert found.changes.to_adverse is None


def test_what_differs_is_said(house: House) -> None:
    """Other names, other types, another positive class: nothing is computed, and each difference is named."""
    other = (*FEATURES[:2], Feature("goal", "category", categories=("car", "house")), Feature("phone", "number"))
    rows = [{"amount": 1.0, "months": 2, "goal": "car", "phone": 1.0}] * 24
    two(house, features=other, rows=rows, positive_class="good")
    found = compared(house)
    assert found.changes is None
    assert set(found.differs) == {
        "only version 1 has purpose",
        "only version 2 has goal",
        "phone is of type boolean in version 1, number in 2",
        "the positive class is bad in version 1, good in 2",
    }
    assert not [asked for asked in house.workers.asked if asked.startswith("explain")]


def test_one_version_has_nothing_to_be_compared_with(house: House) -> None:
    """A retired one cannot be asked any more."""
    register(house, FEATURES, ROWS, version="1")
    found = compared(house)
    assert (found.before, found.changes, len(found.served)) == (None, None, 1)
    register(house, FEATURES, ROWS, version="2")
    house.rooms.registry.retire("credit", "1")
    assert compared(house).changes is None
    with pytest.raises(Conflict, match="retired"):
        compared(house, before="1")
    with pytest.raises(NotFound):
        compared(house, before="7")
    with pytest.raises(InvalidOption, match="same version"):
        compared(house, before="2")


def test_rows_that_the_other_version_does_not_take(house: House) -> None:
    """A category that the earlier version has not: said with its place, and nothing is told."""
    wider = dataclasses.replace(FEATURES[2], categories=("boat", "car", "house", "other"))
    two(house, features=(*FEATURES[:2], wider, FEATURES[3]), rows=[{**r, "purpose": "boat"} for r in ROWS])
    with pytest.raises(InvalidOption, match="do not fit version 1, the first at purpose"):
        compared(house)


@pytest.mark.parametrize("role", ["administrator", "application"])
def test_roles_that_see_no_sizes_are_refused(house: House, role: str) -> None:
    """With one entry, and without a word about which versions differ."""
    two(house)
    with pytest.raises(NotPermitted):
        compared(house, role)
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]
