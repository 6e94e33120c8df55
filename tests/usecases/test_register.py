"""A model comes in, and goes out of service."""

from __future__ import annotations

import pytest

from explainer.errors import Conflict, ModelRefused, NotFound, NotPermitted
from explainer.usecases.register import register, retire
from tests.house import House
from tests.registry.folders import write_folder


def test_a_folder_becomes_a_version(house: House) -> None:
    """Checked, tried, admitted: visible at once, with the digest in the one entry."""
    version = register(house.rooms, house.caller("owner"), write_folder(house.folder / "model"))
    assert house.workers.asked == ["trial"]
    assert house.rooms.registry.get("credit").digest == version.digest
    (entry,) = house.entries()
    assert entry.entry.event == "api:version:create"
    assert entry.entry.body == {"model": "credit", "version": "1.0", "digest": version.digest}


def test_a_folder_with_faults_is_never_tried(house: House) -> None:
    """What is wrong from outside is refused before any process opens it."""
    folder = write_folder(house.folder / "model", positive_class="ugly")
    with pytest.raises(ModelRefused):
        register(house.rooms, house.caller("owner"), folder)
    assert house.workers.asked == []
    assert [e.entry.outcome for e in house.entries()] == ["model-refused"]


def test_a_model_that_fails_its_trial_is_not_visible(house: House) -> None:
    """Nothing is half-registered: the name is free afterwards and the mended model comes in."""
    folder = write_folder(house.folder / "model")
    house.workers.open_failing = ModelRefused("it does not reproduce its golden predictions")
    with pytest.raises(ModelRefused, match="golden"):
        register(house.rooms, house.caller("owner"), folder)
    assert house.rooms.registry.versions() == ()
    house.workers.open_failing = None
    register(house.rooms, house.caller("owner"), folder)
    assert house.rooms.registry.names() == ("credit",)


def test_a_version_comes_once(house: House) -> None:
    """Registering the same version again is a conflict, and is not tried again."""
    folder = write_folder(house.folder / "model")
    register(house.rooms, house.caller("owner"), folder)
    with pytest.raises(Conflict):
        register(house.rooms, house.caller("owner"), folder)
    assert house.workers.asked == ["trial"]


@pytest.mark.parametrize("role", ["analyst", "administrator", "auditor", "demo"])
def test_only_owners_register(house: House, role: str) -> None:
    """Nobody else brings a model in: the folder is not even looked at."""
    with pytest.raises(NotPermitted):
        register(house.rooms, house.caller(role), house.folder / "absent")
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted"]


def test_retiring(house: House) -> None:
    """A retired version is out of service at once; what is not there cannot be retired; the grant is asked for."""
    house.register()
    with pytest.raises(NotPermitted):
        retire(house.rooms, house.caller("owner", models=("other",)), "credit", "1.0")
    version = retire(house.rooms, house.caller("administrator"), "credit", "1.0")
    assert version.retired_at is not None
    assert house.rooms.registry.names() == ()
    with pytest.raises(NotFound):
        retire(house.rooms, house.caller("owner"), "credit", "9")
    assert [e.entry.outcome for e in house.entries()] == ["not-permitted", "answered", "not-found"]
