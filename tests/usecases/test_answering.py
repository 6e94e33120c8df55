"""Rows in, explanations out, through the cache."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from explainer.cache.tiers import NoCache
from explainer.records import ExplainOptions, Explanation, FloatArray, LimeReport, MethodReport, Notice
from explainer.usecases.answering import answer_rows
from explainer.workers.asking import Asking
from explainer.workers.version import ANYBODY
from tests.house import FakeWorkers, House

ROWS = np.array([[1.0, 2.0, 0.0, 1.0], [2.0, np.nan, 1.0, np.nan]])


def answers(house: House, rows: FloatArray = ROWS, **options: Any) -> list[Any]:
    version = house.rooms.registry.get("credit")
    return answer_rows(house.rooms, version, house.serving.opened(version), rows, ExplainOptions(**options), Asking())


def test_what_is_stored_reads_back_as_what_was_answered(house: House) -> None:
    """Every field of an explanation survives, LIME's report and warnings included, numbers to the bit."""
    version = house.register()
    for method in ("auto", "lime"):
        house.serving.opened(version)
        direct = house.workers.explain(version.digest, ROWS, ExplainOptions(method=method))
        fresh = answers(house, method=method)
        assert [a.explanations for a in fresh] == direct
        assert [dataclasses.replace(a, computed=None).explanations for a in fresh] == direct
        assert [(a.hit, a.explanations) for a in answers(house, method=method)] == [(True, d) for d in direct]


class Everything(FakeWorkers):
    """Answers one explanation in which every field is set."""

    def explain(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Explanation, ...]]:
        method = MethodReport("kernel", 2, "why", False, 7, 2**62, "default", 1e-17)
        lime = LimeReport(0.1, 0.2, 3, 0.4, (("a <= 1", 0.1 + 0.2), ("b", -1e-300)), 0.5)
        warnings = (Notice("one", "Grüße"), Notice("two", ""))
        e = Explanation(0.1, 5e-324, "bad", "raw", (0.1 + 0.2, -0.0), (None, 0.0), method, 0.9, warnings, lime)
        return [(e, e) for _ in rows]


def test_every_field_survives_storage(house: House) -> None:
    """Extreme numbers, text beyond ASCII, absent errors: what is read is what was stored."""
    house.register()
    workers = Everything()
    full = house.with_rooms(workers=workers)
    found = dataclasses.replace(answers(full)[0], computed=None).explanations
    assert found == workers.explain("", ROWS[:1], ExplainOptions())[0]
    assert np.signbit(found[0].attributions[1])


def test_one_row_is_one_key(house: House) -> None:
    """Equal rows are computed once even inside one request, whatever bits their missing values and zeros have."""
    house.register()
    same = np.array([[0.0, np.nan, 1.0, 0.0], [-0.0, -np.nan, 1.0, 0.0]])
    house.workers.asked.clear()
    first, second = answers(house, same)
    assert first.stored == second.stored
    assert [a for a in house.workers.asked if a.startswith("explain")] == ["explain auto 1"]


def test_settings_that_change_the_answer_have_their_own(house: House) -> None:
    """Method, class, output, seed and limits are told apart; `top` is not part of the question."""
    house.register()
    different: list[dict[str, Any]] = [
        {},
        {"method": "lime"},
        {"class_name": "good"},
        {"output": "raw"},
        {"seed": 1},
        {"max_evaluations": 5},
        {"tolerance": 0.1},
    ]
    assert not any(a.hit for options in different for a in answers(house, **options))
    assert all(a.hit for options in different for a in answers(house, **options))
    assert all(a.hit for a in answers(house, top=2))


class Late(FakeWorkers):
    """Answers what a deadline cut short."""

    code = "deadline-reached"

    def explain(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Explanation, ...]]:
        found = super().explain(digest, rows, options)
        late = (Notice(self.code, "the clock decided"),)
        return [tuple(dataclasses.replace(e, warnings=late) for e in row) for row in found]


@pytest.mark.parametrize(("code", "kept"), [("deadline-reached", False), ("budget-reached", True)])
def test_what_a_clock_decided_is_not_kept(house: House, code: str, kept: bool) -> None:
    """What a deadline cut short is computed anew; what a budget cut short is the answer to that budget."""
    house.register()
    workers = Late()
    workers.code = code
    late = house.with_rooms(workers=workers)
    answers(late)
    assert [a.hit for a in answers(late)] == [kept, kept]


def test_without_a_cache_everyone_computes(house: House) -> None:
    """The same numbers come out, each time as a miss."""
    house.register()
    plain = house.with_rooms(cache=NoCache())
    first, second = answers(plain), answers(plain)
    assert [a.stored for a in first] == [a.stored for a in second]
    assert not any(a.hit for a in first + second)
