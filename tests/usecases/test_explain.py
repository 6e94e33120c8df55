"""The use case of the main job."""

from __future__ import annotations

import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from explainer.errors import (
    Conflict,
    InvalidOption,
    InvalidRows,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NotReady,
    StorageFailed,
    TooLarge,
    WorkerDied,
)
from explainer.records import ExplainOptions, Principal
from explainer.usecases.explain import ExplainAsk, Explained, explain
from explainer.usecases.rooms import Caller
from tests.house import House, build
from tests.registry.folders import ROW


def ask(house: House, rows: Any = (ROW,), caller: Caller | None = None, **settings: Any) -> Explained:
    version = settings.pop("version", None)
    given = ExplainAsk("credit", list(rows) if isinstance(rows, tuple) else rows, ExplainOptions(**settings), version)
    return explain(house.rooms, house.serving, caller or house.caller(), given)


def test_an_answer_adds_up_and_has_a_receipt(house: House) -> None:
    """Every row gets its attributions in schema order, a kept receipt, and a place in the ledger."""
    version = house.register()
    done = ask(house, (ROW, {**ROW, "months": None}))
    assert done.version == version
    for i, item in enumerate(done.items):
        total = item["expected_value"] + math.fsum(a["attribution"] for a in item["attributions"])
        assert total == pytest.approx(item["prediction"])
        assert [a["feature"] for a in item["attributions"]] == ["amount", "months", "purpose", "phone"]
        assert (item["row"], item["cache"]) == (i, "miss")
        kept = house.rooms.receipts.get(item["receipt"])
        assert (kept.model_digest, kept.principal) == (version.digest, "key_demo")
    assert [a["value"] for a in done.items[1]["attributions"]] == [12.5, None, "house", True]
    (entry,) = house.entries()
    assert entry.entry.event == "api:explanation:create"
    assert entry.entry.body["rows"] == 2
    assert entry.entry.body["digest"] == version.digest
    assert entry.entry.body["first_receipt"] == done.items[0]["receipt"]


def test_what_is_known_is_not_computed_again(house: House) -> None:
    """Only new rows reach the workers; a repeated row carries the same numbers under the receipt that it has."""
    house.register()
    first = ask(house, (ROW,)).items[0]
    second = ask(house, ({**ROW, "amount": 1.0}, ROW, ROW)).items
    assert [i["cache"] for i in second] == ["miss", "hit", "hit"]
    assert house.workers.asked == ["open", "explain auto 1", "explain auto 1"]
    assert second[1]["attributions"] == first["attributions"]
    assert [i["receipt"] == first["receipt"] for i in second] == [False, True, True]
    assert house.entries()[1].entry.body["hits"] == 2


def test_an_array_is_the_same_row(house: House) -> None:
    """A row as an array in schema order is found in the cache under the same key."""
    house.register()
    ask(house, (ROW,))
    assert ask(house, (list(ROW.values()),)).items[0]["cache"] == "hit"


def test_how_much_is_shown_does_not_change_what_is_computed(house: House) -> None:
    """`top` asks for less of the same answer: it is a hit, and the rest is summed."""
    house.register()
    full = ask(house).items[0]
    top = ask(house, top=1).items[0]
    assert top["cache"] == "hit"
    assert len(top["attributions"]) == 1
    shown = top["attributions"][0]["attribution"] + top["other"]["attribution"]
    assert shown == pytest.approx(math.fsum(a["attribution"] for a in full["attributions"]))


def test_all_classes_share_a_receipt(house: House) -> None:
    """`all` gives one explanation for each class of a row, under the row's one receipt."""
    house.register()
    done = ask(house, class_name="all")
    assert [i["class"] for i in done.items] == ["bad", "good"]
    assert done.items[0]["receipt"] == done.items[1]["receipt"]
    assert [len(row) for row in done.full] == [2]


def test_a_version_can_be_named(house: House) -> None:
    """Without a version the newest answers, with one that one."""
    first = house.register()
    second = house.register(version="2.0")
    assert ask(house).version.digest == second.digest
    assert ask(house, version="1.0").version.digest == first.digest


@pytest.mark.parametrize(
    ("rows", "settings", "error"),
    [
        ([], {}, InvalidRows),
        ({"amount": 1}, {}, InvalidRows),
        ([{**ROW, "colour": "red"}], {}, InvalidRows),
        ([ROW], {"method": "magic"}, InvalidOption),
        ([ROW], {"background": "other"}, InvalidOption),
        ([ROW], {"class_name": "ugly"}, InvalidOption),
        ([ROW], {"version": "9"}, NotFound),
        ([ROW] * 4, {}, TooLarge),
    ],
)
def test_what_cannot_be_answered_is_refused_before_anything_is_computed(
    tmp_path: Any, rows: Any, settings: dict[str, Any], error: type[Exception]
) -> None:
    """The refusal is recorded once, under its code; no worker explains and no receipt is made."""
    house = build(tmp_path, max_rows=3)
    house.register()
    with pytest.raises(error) as caught:
        ask(house, rows, **settings)
    assert not [a for a in house.workers.asked if a.startswith("explain")]
    assert [e.entry.outcome for e in house.entries()] == [caught.value.code]  # type: ignore[attr-defined]


def test_the_limit_of_rows_is_itself_allowed(tmp_path: Any) -> None:
    """As many rows as the setting says are answered."""
    house = build(tmp_path, max_rows=3)
    house.register()
    assert len(ask(house, (ROW,) * 3).items) == 3


def test_a_retired_version_answers_no_more(house: House) -> None:
    """Retired is a conflict, recorded as such."""
    house.register()
    house.rooms.registry.retire("credit", "1.0")
    with pytest.raises(Conflict):
        ask(house)
    with pytest.raises(Conflict):
        ask(house, version="1.0")
    assert [e.entry.outcome for e in house.entries()] == ["conflict", "conflict"]


@pytest.mark.parametrize(
    ("principal", "error"),
    [
        (Principal("key_a", "key", "administrator"), NotPermitted),
        (Principal("key_a", "key", "unknown"), NotPermitted),
        (Principal("key_a", "key", "local"), NotPermitted),
        (Principal("key_a", "key", "analyst", models=("other",)), NotPermitted),
        (Principal("anonymous", "anonymous", "none"), NotAuthenticated),
    ],
)
def test_the_use_case_asks_who_may_itself(house: House, principal: Principal, error: type[Exception]) -> None:
    """Even where a door forgot to ask: role, kind and grant by model are checked with the model's name."""
    house.register()
    with pytest.raises(error):
        ask(house, caller=Caller(principal, "request-1", "api"))
    assert house.workers.asked == []
    assert len(house.entries()) == 1


def test_a_model_that_fails_leaves_nothing_behind(house: House) -> None:
    """A failure reaches the caller, is recorded once, and is not cached: the next request computes."""
    house.register()
    house.workers.failing = WorkerDied("it ended")
    with pytest.raises(WorkerDied):
        ask(house)
    house.workers.failing = None
    assert ask(house).items[0]["cache"] == "miss"
    assert [e.entry.outcome for e in house.entries()] == ["worker-died", "answered"]


def test_an_unexpected_exception_is_recorded_too(house: House) -> None:
    """A fault of ours passes through unchanged, with one entry that says `failed`."""
    house.register()
    house.workers.failing = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        ask(house)
    assert [e.entry.outcome for e in house.entries()] == ["failed"]


def test_a_version_that_does_not_open_is_not_ready(house: House) -> None:
    """The first request opens the version; when that fails the reason is said, and not tried at every request."""
    house.register()
    house.workers.open_failing = WorkerDied("it eats memory")
    for _ in range(2):
        with pytest.raises(NotReady, match="it eats memory"):
            ask(house)
    assert house.workers.asked == ["open"]


def test_without_a_receipt_there_is_no_answer(house: House) -> None:
    """When receipts cannot be kept the caller gets StorageFailed instead of numbers, and one entry says so."""
    house.register()
    refuse_receipts(house)
    with pytest.raises(StorageFailed, match="receipts are full"):
        ask(house)
    assert [e.entry.outcome for e in house.entries()] == ["storage-failed"]


def refuse_receipts(house: House) -> None:
    with sqlite3.connect(house.rooms.settings.var / "ledger.db") as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are full'); END"
        )
    connection.close()


def test_many_at_once(house: House) -> None:
    """Sixteen threads with the same rows: one computation of each, an entry for everyone, every receipt kept."""
    house.register()
    rows = tuple({**ROW, "amount": float(i)} for i in range(3))
    with ThreadPoolExecutor(16) as pool:
        done = [job.result() for job in [pool.submit(ask, house, rows) for _ in range(16)]]
    assert sum(int(a.split()[-1]) for a in house.workers.asked if a.startswith("explain")) == 3
    numbers = {str([i["attributions"] for i in d.items]) for d in done}
    assert len(numbers) == 1
    assert all(house.rooms.receipts.get(i["receipt"]).principal == "key_demo" for d in done for i in d.items)
    assert len(house.entries()) == 16
    assert house.rooms.ledger.verify().ok
