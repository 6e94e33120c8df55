"""The service's own description is read by somebody, and that is written down."""

from __future__ import annotations

import pytest

from explainer.errors import NotPermitted
from explainer.usecases.documents import read_document
from tests.house import House


def test_reading_is_one_entry(house: House) -> None:
    """Who read which document."""
    read_document(house.rooms, house.caller("auditor"), "openapi.json")
    (entry,) = house.entries()
    assert (entry.entry.event, entry.entry.body) == ("api:document:read", {"document": "openapi.json"})


def test_who_may_not_is_one_entry_too(house: House) -> None:
    """A role that is not known reads nothing."""
    with pytest.raises(NotPermitted):
        read_document(house.rooms, house.caller("nobody"), "docs")
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]
