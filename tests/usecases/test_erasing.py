"""Answers about an erased person leave the cache with the receipts; everybody else's stay."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from explainer.cache.memory import MemoryTier
from explainer.cache.sqlite import DiskTier
from explainer.cache.stamp import Stamp
from explainer.cache.tiers import Cache
from explainer.errors import StorageFailed
from explainer.receipts.subjects import Subjects
from explainer.records import ExplainOptions
from explainer.usecases.erasing import cached_of
from explainer.usecases.explain import ExplainAsk, explain
from explainer.usecases.subjects import erase_subject
from tests.house import House, build
from tests.registry.folders import ROW

BOUND = 4_000_000


class Unsure(MemoryTier):
    """A tier that cannot say that anything is gone."""

    def erase(self, keys: Any) -> bool:
        return False


def furnished(folder: Path) -> House:
    """A house with the cache that the wiring gives it, in the clear."""
    house = build(folder)
    var = house.rooms.settings.var
    return house.with_rooms(cache=shelf(var))


def shelf(var: Path) -> Cache:
    stamp = Stamp(var / "cache-erased")
    return Cache([MemoryTier(BOUND, stamp), DiskTier(var / "cache.db", BOUND)], stamp=stamp)


def ask(house: House, subject: str | None, amount: float = 12.5, **options: Any) -> bool:
    """Whether it was a hit."""
    brought = options.pop("background", None)
    wish = ExplainAsk(
        "credit", [{**ROW, "amount": amount}], ExplainOptions(**options), subject=subject, background=brought
    )
    (hit,) = explain(house.rooms, house.serving, house.caller(), wish).hits
    return hit


def erase(house: House, subject: str) -> None:
    assert erase_subject(house.rooms, house.caller("local", "cli"), subject).log_emptied


def test_every_answer_about_a_person_is_computed_anew(tmp_path: Path) -> None:
    """Several rows under several options, a background that was brought among them; another's answers are hits."""
    house = furnished(tmp_path)
    house.register()
    asked: list[dict[str, Any]] = [
        {},
        {"method": "lime"},
        {"seed": 4},
        {"tolerance": 0.5},
        {"top": 1, "output": "log_odds"},
        {"class_name": "all"},
        {"background": [ROW, {**ROW, "months": 12}]},
    ]
    for options in asked:
        ask(house, "anna", 731.25, **options)
        ask(house, "anna", 5.0, **options)
        ask(house, "bert", 6.0, **options)
    assert all(ask(house, "anna", 731.25, **options) for options in asked)
    erase(house, "anna")
    assert not any(ask(house, None, amount, **options) for options in asked for amount in (731.25, 5.0))
    assert all(ask(house, "bert", 6.0, **options) for options in asked)


def test_other_processes_forget_it_too(tmp_path: Path) -> None:
    """A cache with a memory of its own, as another web process has, answers it no more."""
    house = furnished(tmp_path)
    house.register()
    other = house.with_rooms(cache=shelf(house.rooms.settings.var))
    ask(house, "anna", 731.25)
    assert ask(other, "anna", 731.25)
    erase(house, "anna")
    assert not ask(other, None, 731.25)


def test_answers_by_earlier_code_are_found(tmp_path: Path) -> None:
    """What answered before the program was renewed is known, and a version that is there no more has left a note."""
    house = furnished(tmp_path)
    version = house.register()
    ask(house, "anna", 731.25)
    background = version.manifest.background.sha256
    (noted,) = house.rooms.receipts.answered_by.of(version.digest)
    mark = house.rooms.receipts.seals.mark("anna")
    now = set(cached_of(house.rooms, mark))
    house.rooms.receipts.answered_by.note(version.digest, background, {"exact": 99})
    assert noted[0] == background
    assert len(set(cached_of(house.rooms, mark)) - now) == 1
    elsewhere = build(tmp_path / "elsewhere").with_rooms(receipts=house.rooms.receipts)
    assert now <= set(cached_of(elsewhere.rooms, mark))


def test_where_the_cache_is_not_sure_nothing_is_erased(tmp_path: Path) -> None:
    """Without receipts nobody would know where the answers lie: it is refused, told, and can be tried again."""
    house = furnished(tmp_path).with_rooms(cache=Cache([Unsure(BOUND)]))
    house.register()
    ask(house, "anna", 731.25)
    with pytest.raises(StorageFailed, match=r"No receipt was erased: try again"):
        erase_subject(house.rooms, house.caller("local", "cli"), "anna")
    assert house.entries()[-1].entry.outcome == "storage-failed"
    assert Subjects(house.rooms.receipts).count(house.rooms.receipts.seals.mark("anna")) == 1
    erase(house.with_rooms(cache=shelf(house.rooms.settings.var)), "anna")


def test_a_damaged_receipt_does_not_keep_a_person_from_being_erased(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its answer ages out; the log says so, and everything that can be found is erased."""
    house = furnished(tmp_path)
    house.register()
    ask(house, "anna", 731.25)
    ask(house, "anna", 5.0)
    first = min(r.id for r in Subjects(house.rooms.receipts).receipts(house.rooms.receipts.seals.mark("anna")))
    with sqlite3.connect(house.rooms.receipts.file.path) as connection:
        connection.execute("UPDATE receipts SET answer = x'00' WHERE id = ?", (first,))
    with caplog.at_level(logging.WARNING):
        erase(house, "anna")
    assert "1 receipts of an erased subject could not be read" in caplog.text
    assert not ask(house, None, 5.0)
