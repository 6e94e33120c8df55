"""What a reviewer asks about a case: other values, changes, similar cases; who may ask, and what the ledger says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from explainer.errors import Conflict, InvalidRows, NotFound, NotPermitted
from explainer.records import DecisionSpec, Feature
from explainer.reviews.wanted import Wanted
from explainer.usecases import case_pages, case_tools
from explainer.usecases.case_tools import Reader
from explainer.usecases.cases import open_case
from tests.house import House
from tests.registry.folders import FEATURES, ROW
from tests.usecases.test_decisions import brought, entered, person
from tests.webui.site import register


@pytest.fixture
def furnished(house: House) -> House:
    """A model whose background has enough rows for groups."""
    rows = [{**ROW, "amount": float(i), "months": 1 + i} for i in range(30)]
    register(house, FEATURES, rows, decision=DecisionSpec(0.5, "granted", "declined"))
    return house


def reading(**values: Any) -> Reader:
    def read(features: Sequence[Feature]) -> dict[str, Any]:
        assert [f.name for f in features] == [f.name for f in FEATURES]
        return values

    return read


def test_other_values_are_held_against_the_case_s_own_threshold(furnished: House) -> None:
    """The outcome is that of the threshold which the case was brought with, and the case's explanation is beside it."""
    case = brought(furnished, threshold=0.78)
    at = (furnished.rooms, furnished.serving, furnished.caller("analyst"), case.facts.id)
    found = case_tools.try_values(*at, reading(amount=1.0))
    assert found.answer.changed == ("amount",)
    assert 0.5 < found.answer.score < 0.78
    assert found.answer.outcome == "granted"
    assert found.before is not None
    assert found.before.prediction == case.facts.score
    with pytest.raises(InvalidRows):
        case_tools.try_values(*at, reading(amount="much"))


def test_each_question_is_one_entry_without_a_value(furnished: House) -> None:
    """The ledger says who asked what about which decision; numbers of the row are not in it."""
    case = brought(furnished)
    at = (furnished.rooms, furnished.serving, furnished.caller("analyst"), case.facts.id)
    before = len(furnished.entries())
    case_tools.try_values(*at, reading(amount=777.5))
    case_tools.look_for_changes(*at)
    case_tools.alike(*at)
    new = [e.entry for e in furnished.entries()[before:]]
    assert [e.event for e in new] == ["api:decision:what-if", "api:decision:changes", "api:decision:similar"]
    assert {e.body["decision"] for e in new} == {case.facts.id}
    assert not any("777.5" in str(e.body) or "12.5" in str(e.body) for e in new)


def test_changes_lead_to_the_other_outcome(furnished: House) -> None:
    """Every answer's score is on the other side of the case's threshold."""
    case = brought(furnished, instance={**ROW, "amount": 20.0}, threshold=0.75)
    found = case_tools.look_for_changes(furnished.rooms, furnished.serving, furnished.caller(), case.facts.id)
    assert found.answers
    assert all(answer.score < 0.75 for answer in found.answers)


def test_past_decisions_are_the_nearest_that_may_be_seen(furnished: House) -> None:
    """Neither the case itself, nor one that was erased, nor one that is still to be judged blind; nearest first."""
    case = brought(furnished, external_id="this")
    far = brought(furnished, external_id="far", instance={**ROW, "months": 1, "purpose": "car"})
    near = brought(furnished, external_id="near", instance={**ROW, "months": 25})
    brought(furnished, external_id="hidden", blind=True)
    brought(furnished, external_id="erased", subject="anna")
    rooms = furnished.rooms
    rooms.ledger.append(furnished.entries()[-1].entry, [rooms.reviews.erasure(rooms.receipts.seals.mark("anna"))])
    entered(furnished, person(furnished, "anna"), near, "override")
    entered(furnished, person(furnished, "rita"), near, "confirm")
    found = case_tools.alike(rooms, furnished.serving, furnished.caller("analyst"), case.facts.id)
    assert found.past is not None
    assert [p.case.facts.id for p in found.past] == [near.facts.id, far.facts.id]
    assert (found.past[0].final, found.past[1].final) == ("granted", "declined")
    assert 0 < found.past[0].distance < found.past[1].distance
    assert [d.feature for d in found.past[0].differences] == ["months"]
    assert found.background.count == 20


def test_who_reads_only_their_own_sees_no_past_decisions(furnished: House) -> None:
    """A program may ask about its own decision, where its policy lets it, and is told of the group alone."""
    rooms = furnished.rooms
    rooms.policies.set("application", "credit", rooms.policies.of("analyst", "credit", "nobody"), "tests")
    brought(furnished)
    case = brought(furnished, role="application")
    caller = furnished.caller("application")
    assert case_tools.alike(rooms, furnished.serving, caller, case.facts.id).past is None


def test_who_may_not_ask(furnished: House) -> None:
    """No permission to ask the model, no policy to see sizes, another's case, a blind one, and a retired version."""
    case, blind = brought(furnished), brought(furnished, blind=True)
    own = brought(furnished, role="application")

    def asked(role: str, decision_id: str) -> None:
        case_tools.alike(furnished.rooms, furnished.serving, furnished.caller(role), decision_id)

    with pytest.raises(NotPermitted):
        asked("auditor", case.facts.id)
    with pytest.raises(NotPermitted, match="does not see"):
        asked("application", own.facts.id)
    with pytest.raises(NotFound):
        asked("application", case.facts.id)
    with pytest.raises(Conflict, match="judged blind first"):
        asked("analyst", blind.facts.id)
    furnished.rooms.registry.retire("credit", "1.0")
    with pytest.raises(Conflict, match="is retired"):
        asked("analyst", case.facts.id)


def test_a_page_of_a_case_says_who_opened_it(furnished: House) -> None:
    """Everybody who looked, and whether they saw the model's answer; values and places where they may be seen."""
    case = brought(furnished, blind=True)
    anna, rita = person(furnished, "anna", "analyst"), person(furnished, "rita", "auditor")
    open_case(furnished.rooms, anna, case.facts.id)
    page = case_pages.case_page(furnished.rooms, rita, case.facts.id)
    assert {(look.name, look.answer) for look in page.looks} == {("anna", False), ("rita", True)}
    assert page.row == ROW
    assert [s.feature for s in page.standings] == list(ROW)
    assert (page.asks, page.receipts) == (False, True)
    assert page.reviewers == {anna.principal.id: "anna"}


def test_the_bench_names_models_and_people_that_may_be_chosen(furnished: House) -> None:
    """Models that decide, of those the caller was granted; people who may give verdicts on the one that is chosen."""
    furnished.register(name="scores", decision=None)
    furnished.register(name="other")
    person(furnished, "anna", "analyst", ("other",))
    person(furnished, "rita", "reviewer")
    person(furnished, "otto", "owner")
    wanted = Wanted(model="credit")
    bench = case_pages.workbench(furnished.rooms, furnished.caller("analyst"), wanted)
    assert bench.models == ("credit", "other")
    assert list(bench.reviewers.values()) == ["rita"]
    assert (bench.queue.count, bench.all_told) == (0, 0)
    brought(furnished, external_id="A-1", model="other")
    found = case_pages.workbench(furnished.rooms, furnished.caller("analyst"), Wanted(), "A-1")
    assert [c.facts.model for c in found.queue.cases] == ["other"]
