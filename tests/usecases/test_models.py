"""Which models there are, and what one is."""

from __future__ import annotations

import pytest

from explainer.errors import NotFound, NotPermitted
from explainer.usecases.models import list_models, show_model
from tests.house import House
from tests.registry.folders import FILES, ROW


def test_the_list_shows_what_may_be_seen(house: House) -> None:
    """All versions, retired ones included, newest first; with a grant by model only those models."""
    house.register()
    house.register(version="2.0")
    house.register(name="other")
    house.rooms.registry.retire("credit", "2.0")
    everything = [(v.manifest.name, v.manifest.version) for v in list_models(house.rooms, house.caller())]
    assert everything == [("credit", "2.0"), ("credit", "1.0"), ("other", "1.0")]
    some = list_models(house.rooms, house.caller(models=("other", "third")))
    assert [v.manifest.name for v in some] == ["other"]
    assert [e.entry.body["models"] for e in house.entries()] == [3, 1]


def test_a_page_has_card_siblings_and_samples(house: House) -> None:
    """The version asked for, its siblings, its card's text and the rows that may be tried."""
    house.register({**FILES, "samples.csv": FILES["background.csv"]})
    house.register(version="2.0")
    page = show_model(house.rooms, house.caller(), "credit", "1.0")
    assert page.version.manifest.version == "1.0"
    assert [v.manifest.version for v in page.versions] == ["2.0", "1.0"]
    assert "Grüße" in page.card
    assert page.samples[0] == ROW
    assert show_model(house.rooms, house.caller(), "credit").samples == []


def test_what_is_not_there_or_not_granted(house: House) -> None:
    """No such model: NotFound; no grant for it: NotPermitted, whether it is there or not."""
    house.register()
    with pytest.raises(NotFound):
        show_model(house.rooms, house.caller(), "credti")
    for name in ("credit", "absent"):
        with pytest.raises(NotPermitted):
            show_model(house.rooms, house.caller(models=("other",)), name)
    assert [e.entry.outcome for e in house.entries()] == ["not-found", "not-permitted", "not-permitted"]
