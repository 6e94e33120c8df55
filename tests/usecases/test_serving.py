"""Which versions have workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from explainer.errors import ModelFailed, ModelRefused, NotReady
from explainer.usecases.serving import Serving
from tests.house import House


def test_a_version_is_opened_when_first_asked_for_and_once(house: House) -> None:
    """Many requests at once for a version without workers open it one time."""
    version = house.register()
    with ThreadPoolExecutor(8) as pool:
        reports = [job.result() for job in [pool.submit(house.serving.opened, version) for _ in range(8)]]
    assert house.workers.asked == ["open"]
    assert reports == [house.workers.report(version.digest)] * 8


def test_current_versions_are_opened_ahead(house: House) -> None:
    """A round opens the newest of each name; older ones wait until somebody names them."""
    old, new = house.register(), house.register(version="2.0")
    other = house.register(name="other")
    house.serving._round()
    assert set(house.workers.orders) == {new.digest, other.digest}
    house.serving.opened(old)
    house.serving._round()
    assert set(house.workers.orders) == {old.digest, new.digest, other.digest}


def test_a_retired_version_is_closed(house: House) -> None:
    """Its workers end with the next round, and the version before it is opened."""
    old, new = house.register(), house.register(version="2.0")
    house.serving._round()
    house.rooms.registry.retire("credit", "2.0")
    house.serving._round()
    assert set(house.workers.orders) == {old.digest}
    assert new.digest not in house.workers.orders


def test_a_version_that_fails_does_not_keep_others_out(house: House) -> None:
    """The failure is told with the model's name, is not repeated each round, and is forgotten when retired."""
    house.register()
    house.workers.open_failing = ModelFailed("its file is torn")
    house.serving._round()
    house.workers.open_failing = None
    good = house.register(name="other")
    house.serving._round()
    house.serving._first_round.set()
    assert set(house.workers.orders) == {good.digest}
    assert house.workers.asked == ["open", "open"]
    assert house.serving.unready() == []
    assert house.serving.out_of_service() == {"credit": "credit version 1.0: its file is torn"}
    with pytest.raises(NotReady, match="its file is torn"):
        house.serving.opened(house.rooms.registry.get("credit"))
    house.rooms.registry.retire("credit", "1.0")
    house.serving._round()
    assert house.serving.out_of_service() == {}


def test_nothing_is_ready_while_no_version_opens(house: House) -> None:
    """With every current version out of service the reasons are given."""
    house.register()
    house.workers.open_failing = ModelFailed("its file is torn")
    house.serving._round()
    house.serving._first_round.set()
    assert house.serving.unready() == ["credit version 1.0: its file is torn"]


def test_a_reason_does_not_name_the_version_twice(house: House) -> None:
    """What the registry says begins with the version's title, and so does what the service tells of it."""
    version = house.register()
    house.workers.open_failing = ModelRefused("credit version 1.0: model.sha256: it differs.")
    house.serving._round()
    assert house.serving.out_of_service() == {"credit": "credit version 1.0: model.sha256: it differs."}
    with pytest.raises(NotReady, match=r"^credit version 1\.0 is out of service: model\.sha256: it differs\.$"):
        house.serving.opened(version)


def test_a_changed_folder_is_out_of_service(house: House) -> None:
    """A registered file that was changed behind the service's back is not opened, and the reason says which."""
    version = house.register()
    weights = version.folder / "model.skops"
    weights.chmod(0o644)
    weights.write_bytes(b"other weights")
    with pytest.raises(NotReady, match=r"model\.skops"):
        house.serving.opened(version)
    assert house.workers.orders == {}


def test_not_ready_until_the_first_round(house: House) -> None:
    """Before every current version was tried once the service says that it is still opening them."""
    serving = Serving(house.rooms.registry, house.workers, every_s=0.01)
    assert serving.unready() == ["models are still being opened"]
    house.register()
    serving.start()
    assert serving._first_round.wait(10)
    serving.stop()
    assert serving.unready() == []
    assert len(house.workers.orders) == 1
