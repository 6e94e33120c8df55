"""Decisions come in, are read by those who may, and people answer for them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import Conflict, InvalidOption, InvalidRows, NotFound, NotPermitted
from explainer.records import DecisionSpec, Principal
from explainer.reviews.decision import Case, Flag
from explainer.reviews.rules import REASONS, Wish
from explainer.reviews.wanted import Wanted
from explainer.usecases import cases, verdicts
from explainer.usecases.decisions import DecisionAsk, bring
from explainer.usecases.rooms import Caller
from tests.house import House, build
from tests.registry.folders import FEATURES, ROW

WHY = "The income was typed wrongly."


def brought(house: House, role: str = "demo", **more: Any) -> Case:
    ask = DecisionAsk(**{"model": "credit", "instance": ROW, "blind": False, **more})
    return bring(house.rooms, house.serving, house.caller(role), ask)[0]


def person(house: House, name: str, role: str = "reviewer", models: tuple[str, ...] = ("*",)) -> Caller:
    """Somebody who is there, at the page's door."""
    added = house.rooms.access.people.add(name, "correct horse battery", role, models=models)
    return Caller(Principal(added.id, "person", role, name, models), f"request-{name}", "page")


def entered(house: House, caller: Caller, case: Case, kind: str, **more: Any) -> str:
    wish = Wish(kind, more.pop("reason", REASONS[0]), more.pop("text", WHY), **more)  # type: ignore[arg-type]
    return verdicts.enter(house.rooms, caller, case.facts.id, wish)[1].status


def test_it_is_kept_with_all_that_was_worked_out(house: House) -> None:
    """Score, outcome, reasons, both explanations and the row can be read back, and the ledger names the decision."""
    house.register()
    case = brought(house, external_id="A-1", subject="person 1")
    parts = (12.5 / 13.5, 24 / 25, 1 / 2, 1 / 2)  # the model of tests/house.py
    assert case.facts.score == pytest.approx(0.5 + 0.1 * sum(parts))
    assert (case.facts.outcome, case.facts.adverse) == ("declined", True)
    found = cases.open_case(house.rooms, house.caller(), case.facts.id)
    assert found.case.particulars is not None
    assert found.case.particulars.external_id == "A-1"
    assert found.shap is not None
    assert found.shap.prediction == found.case.facts.score
    assert found.lime is not None
    assert found.lime.lime is not None
    codes = [r["code"] for r in found.case.particulars.reasons["reasons"]]
    pushes = dict(zip((f.group or f.name for f in FEATURES), found.shap.attributions, strict=True))
    assert codes == sorted((c for c in pushes if pushes[c] > 0), key=lambda c: -pushes[c])
    entry = house.entries()[-2].entry
    assert (entry.event, entry.body["decision"]) == ("api:decision:create", case.facts.id)
    assert "12.5" not in str(entry.body)


def test_flags_say_why_a_person_should_look(house: House) -> None:
    """A protected factor among the reasons, a score near the threshold, and the random sample are flagged."""
    house.register(decision=DecisionSpec(0.7, "granted", "declined"))
    case = brought(house, outcome="declined")
    assert Flag.PROTECTED in case.facts.flags
    assert Flag.NEAR_THRESHOLD not in case.facts.flags
    assert case.facts.model_outcome == "declined"
    near = brought(house, threshold=case.facts.score + 0.01)
    assert Flag.NEAR_THRESHOLD in near.facts.flags
    assert near.facts.outcome == "granted"


def test_below_the_threshold_may_be_adverse(house: House) -> None:
    """Where a low score is the bad one, reasons are what pushed it down."""
    house.register(decision=DecisionSpec(0.99, "granted", "declined", adverse_when="below"))
    case = brought(house)
    assert case.facts.adverse
    assert case.particulars is not None
    assert all(r["attribution"] > 0 and r["direction"] == "decreases" for r in case.particulars.reasons["reasons"])


def test_reasons_relative_to_approved_rows(house: House) -> None:
    """With reference `approved` the reasons come from an explanation whose background is the approved rows alone."""
    house.register(decision=DecisionSpec(0.75, "granted", "declined", reference="approved"))
    case = brought(house, outcome="declined")
    found = cases.open_case(house.rooms, house.caller(), case.facts.id)
    assert found.basis is not None
    assert found.shap is not None
    assert found.basis.method.background.startswith("rows:")
    assert found.shap.method.background == "default"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"outcome": "perhaps"}, InvalidOption),
        ({"threshold": float("nan")}, InvalidOption),
        ({"due_days": 0}, InvalidOption),
        ({"external_id": "x" * 201}, InvalidOption),
        ({"subject": "a\nb"}, InvalidOption),
        ({"instance": {"amount": 1}}, InvalidRows),
        ({"model": "nothing"}, NotFound),
    ],
)
def test_bad_decisions_are_refused_and_nothing_is_kept(house: House, more: dict[str, Any], error: type) -> None:
    """Each is refused by name, and no decision is there afterwards."""
    house.register()
    with pytest.raises(error):
        brought(house, **more)
    assert cases.queue(house.rooms, house.caller(), Wanted(show="all")).count == 0


def test_a_model_without_a_decision_decides_nothing(house: House) -> None:
    """It is refused with what is missing in the manifest."""
    house.register(decision=None)
    with pytest.raises(InvalidOption, match=r"\[decision\]"):
        brought(house)


def test_an_external_id_is_there_once(house: House) -> None:
    """The second is a Conflict, and leaves neither a decision nor a receipt; the first is found by it."""
    house.register()
    first = brought(house, external_id="A-1")
    with pytest.raises(Conflict, match="external_id"):
        brought(house, external_id="A-1")
    found = cases.queue(house.rooms, house.caller(), Wanted(model="credit", show="all"), "A-1")
    assert [c.facts.id for c in found.cases] == [first.facts.id]
    with pytest.raises(InvalidOption, match="within one model"):
        cases.queue(house.rooms, house.caller(), Wanted(), "A-1")


def test_an_application_reads_its_own_only(house: House) -> None:
    """Another's decision is not found, as if it were not there; the queue shows the own ones."""
    house.register()
    own, other = brought(house, "application"), brought(house, "demo")
    caller = house.caller("application")
    assert cases.open_case(house.rooms, caller, own.facts.id).case.facts.id == own.facts.id
    with pytest.raises(NotFound):
        cases.open_case(house.rooms, caller, other.facts.id)
    assert [c.facts.id for c in cases.queue(house.rooms, caller, Wanted(show="all")).cases] == [own.facts.id]
    with pytest.raises(NotPermitted):
        entered(house, caller, own, "uphold")


def test_grants_bound_what_a_reviewer_sees(house: House) -> None:
    """A reviewer of another model sees nothing of this one."""
    house.register()
    case = brought(house)
    other = person(house, "otto", models=("other",))
    assert cases.queue(house.rooms, other, Wanted(show="all")).count == 0
    with pytest.raises(NotFound):
        cases.open_case(house.rooms, other, case.facts.id)


def test_an_override_needs_four_eyes(house: House) -> None:
    """Who proposed cannot confirm; another can; then the other outcome stands; each step is an entry of its own."""
    house.register()
    case, anna, bert = brought(house), person(house, "anna"), person(house, "bert")
    cases.open_case(house.rooms, anna, case.facts.id)
    assert entered(house, anna, case, "override") == "second-look"
    with pytest.raises(NotPermitted, match="Four eyes"):
        entered(house, anna, case, "confirm")
    assert entered(house, bert, case, "confirm") == "overridden"
    found = cases.open_case(house.rooms, bert, case.facts.id)
    assert found.final == "granted"
    assert [v.kind for v in found.entered] == ["override", "confirm"]
    assert found.entered[0].seconds is not None
    kinds = [e.entry.body.get("kind") for e in house.entries() if e.entry.event == "page:verdict:create"]
    assert kinds == ["override", "confirm", "confirm"]
    assert WHY not in str([e.entry.body for e in house.entries()])


def test_an_analyst_may_propose_but_not_confirm(house: House) -> None:
    """The second look needs a permission that an analyst lacks."""
    house.register()
    case, anna, carl = brought(house), person(house, "anna", "analyst"), person(house, "carl", "analyst")
    entered(house, anna, case, "override")
    with pytest.raises(NotPermitted, match="reviews:verdict:confirm"):
        entered(house, carl, case, "confirm")
    assert entered(house, anna, case, "withdraw") == "open"


def test_a_verdict_is_undone_by_another_entry_only(house: House) -> None:
    """Withdrawing puts the case back into the queue; nothing that was entered is gone."""
    house.register()
    case, anna = brought(house), person(house, "anna")
    entered(house, anna, case, "uphold")
    assert cases.queue(house.rooms, anna, Wanted(show="decided")).count == 1
    entered(house, anna, case, "withdraw")
    assert cases.queue(house.rooms, anna, Wanted()).count == 1
    assert [v.kind for v in cases.open_case(house.rooms, anna, case.facts.id).entered] == ["uphold", "withdraw"]


@pytest.mark.parametrize(
    ("kind", "more", "error"),
    [
        ("override", {"text": "short"}, InvalidOption),
        ("override", {"reason": "because"}, InvalidOption),
        ("uphold", {"text": "x" * 4001}, InvalidOption),
        ("confirm", {}, Conflict),
        ("uphold", {"entries": 3}, Conflict),
        ("blind", {"outcome": "granted"}, Conflict),
        ("refer", {"assignee": "nobody"}, InvalidOption),
    ],
)
def test_what_cannot_be_entered(house: House, kind: str, more: dict[str, Any], error: type) -> None:
    """Nothing changes, and the refusal is in the ledger."""
    house.register()
    case, anna = brought(house), person(house, "anna")
    if "entries" in more:
        entered(house, anna, case, "information")
    before = len(house.rooms.reviews.verdicts(case.facts.id))
    with pytest.raises(error):
        entered(house, anna, case, kind, **more)
    assert len(house.rooms.reviews.verdicts(case.facts.id)) == before
    assert house.entries()[-1].entry.outcome == error.code  # type: ignore[attr-defined]


def test_blind_first(house: House) -> None:
    """Nothing of the answer is shown before one has judged, and the judgement is kept; others are asked as well."""
    house.register()
    case, anna, bert = brought(house, blind=True), person(house, "anna"), person(house, "bert")
    found = cases.open_case(house.rooms, anna, case.facts.id)
    assert (found.hidden, found.shap, found.possible) == (True, None, ["blind"])
    assert found.case.facts.outcome == ""
    assert found.case.particulars is not None
    assert found.case.particulars.reasons == {}
    listed = cases.queue(house.rooms, anna, Wanted()).cases[0]
    assert (listed.facts.score, listed.facts.flags & ~Flag.SAMPLE) == (0.0, 0)
    with pytest.raises(Conflict, match="blind first"):
        entered(house, anna, case, "uphold")
    assert entered(house, anna, case, "blind", reason="", text="", outcome="granted") == "open"
    found = cases.open_case(house.rooms, anna, case.facts.id)
    assert not found.hidden
    assert found.entered[0].outcome == "granted"
    assert cases.open_case(house.rooms, bert, case.facts.id).hidden
    auditor = person(house, "doris", "auditor")
    assert not cases.open_case(house.rooms, auditor, case.facts.id).hidden


def test_the_queue_tells_nothing_of_a_case_that_is_judged_blind(house: House) -> None:
    """No filter and no order by what the model said lists it, until one has judged and seen; others are not held up."""
    house.register()
    case, anna = brought(house, blind=True), person(house, "anna")
    telling = (Wanted(adverse=True), Wanted(flag="protected"), Wanted(sort="margin"))
    assert [cases.queue(house.rooms, anna, w).count for w in telling] == [0, 0, 0]
    assert cases.queue(house.rooms, anna, Wanted()).count == 1
    auditor = person(house, "doris", "auditor")
    assert [cases.queue(house.rooms, auditor, w).count for w in telling] == [1, 1, 1]
    entered(house, anna, case, "blind", reason="", text="", outcome="granted")
    cases.open_case(house.rooms, anna, case.facts.id)
    assert [cases.queue(house.rooms, anna, w).count for w in telling] == [1, 1, 1]


def test_erasure_takes_everything_that_tells_of_a_person(house: House) -> None:
    """Row, name, score, reasons and words are gone; that there was a case and who decided stays."""
    from explainer.usecases.subjects import erase_subject

    house.register()
    case, anna = brought(house, external_id="A-1", subject="person 1"), person(house, "anna")
    other = brought(house, external_id="A-2", subject="person 2")
    entered(house, anna, case, "uphold", text="Known to us since 1998.")
    erase_subject(house.rooms, house.caller("local", "cli"), "person 1")
    found = cases.open_case(house.rooms, anna, case.facts.id)
    assert found.case.particulars is None
    assert (found.case.state.status, found.case.facts.score, found.entered[0].text) == ("erased", 0.0, "")
    assert found.entered[0].kind == "uphold"
    assert found.possible == []
    assert cases.open_case(house.rooms, anna, other.facts.id).case.particulars is not None
    assert b"A-1" not in house.rooms.reviews._file.path.read_bytes()


def test_views_and_assignment(house: House) -> None:
    """A view is one's own; a case is given to who may review it."""
    house.register()
    case, anna = brought(house), person(house, "anna")
    cases.save_view(house.rooms, anna, "mine", "show=waiting&assignee=me")
    assert cases.queue(house.rooms, anna, Wanted()).views == [("mine", "show=waiting&assignee=me")]
    assert cases.queue(house.rooms, house.caller(), Wanted()).views == []
    assert cases.assign(house.rooms, anna, case.facts.id, "anna").state.assignee == anna.principal.id
    assert cases.queue(house.rooms, anna, Wanted(assignee="me")).count == 1
    person(house, "monika", "monitor")
    with pytest.raises(InvalidOption, match="may not review"):
        cases.assign(house.rooms, anna, case.facts.id, "monika")
    cases.forget_view(house.rooms, anna, "mine")
    assert cases.queue(house.rooms, anna, Wanted()).views == []


def test_a_damaged_decision_is_not_believed(house: House) -> None:
    """A score that was changed in the file is found when the case is read."""
    from explainer.errors import StorageFailed

    house.register()
    case = brought(house)
    house.rooms.reviews._file.write(lambda c: c.execute("UPDATE decisions SET score = 0.1"))
    with pytest.raises(StorageFailed, match="damaged"):
        cases.open_case(house.rooms, house.caller(), case.facts.id)


def test_every_order_and_filter_answers(house: House) -> None:
    """Each word that is offered gives a page; one that is not is refused."""
    from explainer.reviews.wanted import ORDERS, SHOWS

    house.register()
    for number in range(5):
        brought(house, external_id=f"A-{number}", due_days=5 - number)
    caller = house.caller()
    for show in SHOWS:
        for sort in ORDERS:
            cases.queue(house.rooms, caller, Wanted(show=show, sort=sort))
    dues = [c.facts.due_at for c in cases.queue(house.rooms, caller, Wanted(sort="due")).cases]
    assert dues == sorted(dues)
    assert cases.queue(house.rooms, caller, Wanted(flag="protected")).count == 5
    assert cases.queue(house.rooms, caller, Wanted(adverse=False)).count == 0
    for wrong in ({"show": "x"}, {"sort": "x"}, {"flag": "x"}, {"limit": 0}):
        with pytest.raises(InvalidOption):
            cases.queue(house.rooms, caller, dataclasses.replace(Wanted(), **wrong))  # type: ignore[arg-type]


def test_decided_cases_are_emptied_when_their_period_is_over(house: House) -> None:
    """One that waits is kept, one under a hold is kept, a younger one is kept; the others tell nothing any more."""
    from datetime import UTC, datetime, timedelta

    from explainer.usecases import retention

    house.register()
    local, anna = house.caller("local", "cli"), person(house, "anna")
    done, held, waits = (brought(house, external_id=f"A-{i}", subject=f"person {i}") for i in range(3))
    for case in (done, held):
        entered(house, anna, case, "uphold")
    retention.set_period(house.rooms, local, "*", 30, "decisions")
    retention.begin_hold(house.rooms, local, "subject", "person 1", "a lawsuit")
    assert retention.sweep(house.rooms, local, datetime.now(UTC) + timedelta(days=29)) == []
    (swept,) = retention.sweep(house.rooms, local, datetime.now(UTC) + timedelta(days=31))
    assert (swept.receipts, swept.decisions) == (0, 1)
    states = [cases.open_case(house.rooms, anna, c.facts.id).case for c in (done, held, waits)]
    assert [s.particulars is None for s in states] == [True, False, False]
    assert retention.show_retention(house.rooms, local).decisions == {"*": 30}


def test_time_on_case_runs_from_the_first_look_of_a_visit(house: House) -> None:
    """Opening the page again does not start the time anew; after half an hour, or an entry, it does."""
    from datetime import UTC, datetime, timedelta

    house.register()
    case, anna = brought(house), person(house, "anna")
    reviews, file = house.rooms.reviews, house.rooms.receipts.file
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def looked_at(minutes: int) -> object:
        when = start + timedelta(minutes=minutes)
        file.write(reviews.look(case.facts.id, anna.principal.id, when, answer=False))
        return reviews.looked(case.facts.id, anna.principal.id)

    first = looked_at(0)
    assert looked_at(20) == first == ("2026-01-01T00:00:00+00:00", False)
    assert looked_at(51) == ("2026-01-01T00:51:00+00:00", False)
    entered(house, anna, case, "uphold")
    assert looked_at(52) != ("2026-01-01T00:51:00+00:00", False)


@pytest.mark.parametrize(("mode", "blind"), [("never", False), ("sample", True), ("always", True)])
def test_the_random_sample_is_judged_blind(tmp_path: Path, mode: str, blind: bool) -> None:
    """With a share of one every decision is drawn; whether it is judged blind is a setting, and the caller's word."""
    house = build(tmp_path, review_sample=1.0, review_blind=mode)
    house.register()
    ask = DecisionAsk("credit", ROW)
    case = bring(house.rooms, house.serving, house.caller("application"), ask)[0]
    assert Flag.SAMPLE in case.facts.flags
    assert case.facts.blind is blind
    assert not brought(house).facts.blind
