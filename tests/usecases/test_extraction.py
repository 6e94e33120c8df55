"""The extraction meter from answer to action."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from explainer.disclosure.levels import FULL
from explainer.errors import NotPermitted
from explainer.usecases.alerting_entries import alert_of
from explainer.usecases.extraction import Judge, level_of
from explainer.usecases.metrics import read_metrics
from tests.house import House
from tests.registry.folders import ROW
from tests.usecases.test_again import client, post

MODEL = "/api/v1/models/credit"


def rows(count: int) -> list[dict[str, Any]]:
    return [{**ROW, "amount": float(9 * i), "months": 1 + i % 60} for i in range(count)]


def test_answers_of_every_kind_are_heard_once(house: House) -> None:
    """Predictions, explanations and comparisons of the same rows are one reading; nobody waits for it."""
    version = house.register()
    at, key = client(house), house.key("application")
    for what in ("predict", "explain", "compare", "explain"):
        assert post(at, key, {"instances": rows(30)}, f"{MODEL}/{what}").status_code == 200
        house.rooms.extraction.flush()
    (read,) = house.rooms.extraction.store.all()
    assert (read.whose.digest, read.whose.role, read.tally.rows) == (version.digest, "application", 30)
    assert [t for t in threading.enumerate() if t.name == "extraction-meter"]


def test_a_reading_is_judged_told_and_shown(house: House) -> None:
    """Agreement is a share, a pattern is an entry of the ledger, once; owners see the reading."""
    house.register()
    at, key = client(house), house.key("application")
    post(at, key, {"instances": rows(100)}, f"{MODEL}/predict")
    house.rooms.extraction.flush()
    judge = Judge(house.rooms, house.serving)
    judge.turn()
    post(at, key, {"instances": rows(110)}, f"{MODEL}/predict")
    house.rooms.extraction.flush()
    judge.turn()
    owner = {"Authorization": f"Bearer {house.key('owner')}"}
    (shown,) = at.get("/api/v1/policies", headers=owner).json["extraction"]
    assert 0 <= shown["agreement"] <= 1
    told = [e.entry for e in house.entries() if e.entry.event == "meter:extraction:alert"]
    assert [t.principal for t in told] == [f"key_{key.split('_')[1]}"] * len({t.body["level"] for t in told})
    assert "foreign-rows" in str(told[0].body["patterns"])
    alert = alert_of(told[0])
    assert alert is not None
    assert alert.kind == "extraction"
    assert alert.subject.startswith(f"{told[0].principal} on credit")


def test_the_highest_agreement_of_each_model_is_a_metric(house: House) -> None:
    """Of all principals, without their names; a model that nobody asked has none."""
    house.register()
    house.register(name="other")
    at, keys = client(house), [house.key("application") for _ in range(2)]
    for key, count in zip(keys, (100, 20), strict=True):
        post(at, key, {"instances": rows(count)}, f"{MODEL}/predict")
    house.rooms.extraction.flush()
    assert house.rooms.extraction.store.agreements() == {}
    Judge(house.rooms, house.serving).turn()
    found = [read.agreement for read in house.rooms.extraction.store.all()]
    assert len(found) == 2
    assert house.rooms.extraction.store.agreements() == {"credit": max(a for a in found if a is not None)}
    page = read_metrics(house.rooms, house.serving, house.caller("monitor")).decode()
    (line,) = [line for line in page.splitlines() if line.startswith("explainer_extraction_agreement{")]
    assert float(line.split()[-1]) == max(a for a in found if a is not None)
    assert not any(key.split("_")[1] in page for key in keys)


def test_what_was_refused_stays_refused_until_released(house: House) -> None:
    """A held principal is answered 403 by every door, and as before once an administrator releases it."""
    house.register()
    at, key = client(house), house.key("application")
    mine = f"key_{key.split('_')[1]}"
    house.rooms.policies.hold(mine, "credit", "refused", "its questions are those of a thief")
    for what in ("predict", "explain", "compare"):
        assert post(at, key, {"instances": [ROW]}, f"{MODEL}/{what}").status_code == 403
    boss = {"Authorization": f"Bearer {house.key('administrator')}"}
    done = at.post("/api/v1/policies/release", json={"principal": mine, "model": "credit"}, headers=boss)
    assert done.status_code == 200
    assert post(at, key, {"instances": [ROW]}).status_code == 200
    house.rooms.policies.hold("key_x", "credit", "refused", "why")
    with pytest.raises(NotPermitted):
        house.rooms.policies.of("demo", "credit", "key_x")
    assert house.rooms.policies.of("demo", "credit", "key_y") == FULL


@pytest.mark.parametrize(
    ("agree", "seen", "role", "level"),
    [
        (0.5, (), "application", ""),
        (0.92, (), "application", "alert"),
        (0.99, (), "application", "alert"),
        (0.5, ("foreign-rows",), "application", "alert"),
        (0.94, ("foreign-rows",), "application", "tightened"),
        (0.97, ("foreign-rows",), "application", "refused"),
        (0.97, ("foreign-rows",), "analyst", "alert"),
    ],
)
def test_only_good_clones_made_of_strange_questions_are_stopped(
    agree: float, seen: tuple[str, ...], role: str, level: str
) -> None:
    """Many honest rows make a good clone too: these are told, and left to the budget."""
    assert level_of(agree, seen, role) == level


def test_an_application_that_steals_is_stopped(house: House) -> None:
    """Told, tightened or refused by the judge alone, as the numbers say."""
    house.register()
    at, key = client(house), house.key("application")
    rng = np.random.default_rng(0)
    for _ in range(5):
        strange = [
            {"amount": float(rng.uniform(0, 1000)), "months": int(rng.integers(1, 60)), "purpose": "car", "phone": True}
            for _ in range(40)
        ]
        post(at, key, {"instances": strange}, f"{MODEL}/predict")
    house.rooms.extraction.flush()
    Judge(house.rooms, house.serving).turn()
    (read,) = house.rooms.extraction.store.all()
    assert read.agreement is not None
    assert read.level == level_of(read.agreement, ("foreign-rows",), "application")
    assert [h.level for h in house.rooms.policies.holds()] == ([read.level] if read.level != "alert" else [])
