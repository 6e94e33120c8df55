"""The state of a version: served, out of service, asleep, retired."""

from __future__ import annotations

import pytest

from explainer.errors import ModelFailed, NotReady
from explainer.usecases.model_health import health_of
from tests.house import House


def test_every_state_is_told(house: House) -> None:
    """Before it is asked it sleeps, then it is served, and once retired nothing is kept for it."""
    version = house.register()
    assert health_of(house.serving, version).state == "asleep"
    house.serving.opened(version)
    found = health_of(house.serving, version)
    assert (found.state, found.reason, found.broken) == ("served", None, None)
    assert found.pool is not None
    assert found.pool.alive == 1
    retired = house.rooms.registry.retire("credit", "1.0")
    assert health_of(house.serving, retired).state == "retired"


def test_a_version_that_does_not_open_is_out_of_service(house: House) -> None:
    """With the reason, which does not repeat the version's name."""
    version = house.register()
    house.workers.open_failing = ModelFailed("its file ends too soon")
    with pytest.raises(NotReady):
        house.serving.opened(version)
    found = health_of(house.serving, version)
    assert (found.state, found.reason) == ("out", "its file ends too soon")
    assert found.broken == "credit version 1.0: its file ends too soon"
