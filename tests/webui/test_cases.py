"""The page of one case: what it shows to whom, the verdict's form, and what is asked about the case."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from explainer.disclosure.levels import Policy
from explainer.errors import WorkerDied
from explainer.receipts.subjects import Subjects
from explainer.records import DecisionSpec
from explainer.reviews.decision import Case
from explainer.reviews.rules import REASONS
from tests.house import House
from tests.registry.folders import FEATURES, ROW
from tests.usecases.test_decisions import WHY, brought, entered, person
from tests.webui.site import SCRIPT, outline, register

PART = {"X-Fragment": "1"}


@pytest.fixture
def furnished(house: House) -> House:
    """A model whose background has enough rows for groups."""
    rows = [{**ROW, "amount": float(i), "months": 1 + i} for i in range(30)]
    register(house, FEATURES, rows, decision=DecisionSpec(0.5, "granted", "declined"))
    return house


def shown(client: FlaskClient, case: Case, status: int = 200, **query: Any) -> str:
    answer = client.get(f"/decisions/{case.facts.id}", query_string=query, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    outline(answer.text)
    return answer.text


def text_of(page: str) -> str:
    """What is read, without tags, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def verdict(client: FlaskClient, token: str, case: Case, kind: str, **more: Any) -> Any:
    form = {"token": token, "kind": kind, "reason": REASONS[0], "text": WHY, "entries": "0", **more}
    return client.post(f"/decisions/{case.facts.id}/verdict", data=form)


def test_it_tells_what_was_decided_and_why(furnished: House) -> None:
    """The sections in their order, with the numbers that were kept, and each value's place in the background."""
    case = brought(furnished, external_id="Maria Keller", instance={**ROW, "amount": 29.5})
    client, _ = furnished.person("reviewer")
    page = shown(client, case)
    order = ["what", "why", "shap", "two", "row", "warnings", "what-if", "changes", "similar", "history", "verdict"]
    places = [page.index(f'id="{name}"') for name in order]
    assert places == sorted(places)
    text = text_of(page)
    assert f"Probability of “bad” {100 * case.facts.score:.1f} % , threshold 50.0 %" in text
    assert case.particulars is not None
    for reason in case.particulars.reasons["reasons"]:
        assert f"{100 * reason['attribution']:+.1f} points toward “declined”" in text
    assert "29.5 higher than almost all" in text
    assert "Their order is certain : the numbers are exact." in text
    assert f'href="/receipts/{case.facts.receipt}"' in page
    assert page.count('role="img"') > 15


def test_no_notice_goes_out_with_a_protected_reason(furnished: House) -> None:
    """A protected factor among the principal reasons is an alert on the page, never left out."""
    case = brought(furnished, instance={**ROW, "purpose": "other"})
    client, _ = furnished.person("analyst")
    text = text_of(shown(client, case))
    assert "No notice goes out with these reasons." in text
    assert "is a protected factor and a principal reason" in text


def test_a_favourable_decision_says_what_spoke_for_and_against(furnished: House) -> None:
    """No reasons against it are made; what raised and lowered the score is told."""
    case = brought(furnished, instance={**ROW, "amount": 0.0, "months": 1}, threshold=0.99)
    client, _ = furnished.person("analyst")
    text = text_of(shown(client, case))
    assert "What spoke for and against" in text
    assert "lowered the score: speaks against it" in text


def test_an_override_needs_a_second_person(furnished: House) -> None:
    """Proposed, explained to who proposed it, confirmed by another; then the page says what is decided now."""
    case = brought(furnished, external_id="A-1")
    first, token = furnished.person("analyst")
    done = verdict(first, token, case, "override")
    assert (done.status_code, done.headers["Location"]) == (303, f"/decisions/{case.facts.id}?done=1&at=0")
    text = text_of(shown(first, case, done="1"))
    assert "You proposed to override it: granted." in text
    assert "You proposed this override, so somebody else has to confirm it" in text
    assert 'value="confirm"' not in shown(first, case)
    second, other = furnished.person("reviewer")
    assert "It takes effect if you, as a second person, confirm it." in text_of(shown(second, case))
    assert verdict(second, other, case, "confirm", entries="1", text="").status_code == 303
    text = text_of(shown(second, case, done="2"))
    assert "Now: granted." in text
    assert "From now on the outcome is “granted”." in text
    assert text.rindex("proposed to override it: granted") < text.rindex("confirmed the override: granted")


def test_what_is_missing_is_said_beside_its_field(furnished: House) -> None:
    """Nothing is entered, and what was typed and chosen stays."""
    case = brought(furnished)
    client, token = furnished.person("analyst")
    answer = verdict(client, token, case, "override", reason="", text="no")
    assert answer.status_code == 422
    assert {"v-reason-problem", "v-text-problem"} <= set(outline(answer.text).ids)
    assert ">no</textarea>" in answer.text
    assert 'value="override" checked' in answer.text
    answer = verdict(client, token, case, "", text=SCRIPT)
    assert "v-kind-problem" in outline(answer.text).ids
    assert "&lt;script&gt;" in answer.text
    answer = verdict(client, token, case, "refer", assignee="nobody")
    assert "v-assignee-problem" in outline(answer.text).ids
    assert furnished.rooms.reviews.verdicts(case.facts.id) == []


def test_a_conflict_shows_what_happened_meanwhile(furnished: House) -> None:
    """Somebody was quicker: their entry is told, the words typed are kept, and the next try counts their entry."""
    case = brought(furnished)
    client, token = furnished.person("analyst")
    entered(furnished, person(furnished, "rita"), case, "information", text="Where does she work now?")
    answer = verdict(client, token, case, "uphold", text="mine")
    assert answer.status_code == 409
    text = text_of(answer.text)
    assert "What happened meanwhile: rita asked for more information" in text
    assert "Where does she work now?" in text
    assert ">mine</textarea>" in answer.text
    assert 'name="entries" value="1"' in answer.text
    assert verdict(client, token, case, "uphold", entries="x").status_code == 409
    assert verdict(client, token, case, "uphold", entries="1").status_code == 303


def test_blind_first_shows_the_row_alone(furnished: House) -> None:
    """Score, outcome, reasons and others' words are kept back everywhere, until the reviewer has judged."""
    case = brought(furnished, blind=True, external_id="A-1")
    auditor, _ = furnished.person("auditor")
    assert "declined" in shown(auditor, case)
    client, token = furnished.person("analyst")
    page = shown(client, case)
    assert "You judge first." in page
    facts = furnished.rooms.reviews.get(case.facts.id).facts
    assert f"{100 * facts.score:.1f}" not in page
    assert facts.receipt not in page
    assert not {"why", "shap", "two", "what-if", "changes", "similar"} & set(outline(page).ids)
    for part in ("what-if", "changes", "similar"):
        answer = client.post(f"/decisions/{case.facts.id}/{part}", data={"token": token}, headers=PART)
        assert answer.status_code == 409
        assert "judged blind first" in answer.text
    assert verdict(client, token, case, "uphold").status_code == 409
    assert "outcome" in verdict(client, token, case, "blind", outcome="maybe").text
    assert verdict(client, token, case, "blind", outcome="granted").status_code == 303
    text = text_of(shown(client, case, done="1"))
    assert "You said “granted”; what was decided is “declined”." in text
    assert "Why, in plain words" in text


def test_other_values_are_tried_and_nothing_is_kept(furnished: House) -> None:
    """As a part for the script and as a whole page without it: the score that the model gives to the changed row."""
    case = brought(furnished)
    client, token = furnished.person("analyst")
    address, form = f"/decisions/{case.facts.id}/what-if", {"token": token, "row-amount": "0", "row-months": "24"}
    counts = len(furnished.rooms.reviews.recent("credit", case.facts.digest, 9))
    score = case.facts.score - 0.1 * 12.5 / 13.5
    part = client.post(address, data=form, headers=PART)
    assert part.status_code == 200
    assert "<html" not in part.text
    assert f"{100 * case.facts.score:.1f} % → {100 * score:.1f} %" in text_of(part.text)
    whole = client.post(address, data=form)
    outline(whole.text)
    assert f"{100 * score:.1f} %" in whole.text
    assert 'name="row-amount" value="0"' in whole.text
    assert len(furnished.rooms.reviews.recent("credit", case.facts.digest, 9)) == counts
    same = client.post(address, data={"token": token}, headers=PART)
    assert "No value differs from the case" in same.text
    entry = next(e.entry for e in reversed(furnished.entries()) if e.entry.event == "page:decision:what-if")
    assert entry.body["changed"] == 0


def test_a_value_that_cannot_be_used_is_said(furnished: House) -> None:
    """Text for a number, and what is declared fixed: beside the field on the whole page, in a list in the part."""
    case = brought(furnished)
    client, token = furnished.person("analyst")
    address = f"/decisions/{case.facts.id}/what-if"
    form = {"token": token, "row-amount": SCRIPT, "row-phone": "false"}
    part = client.post(address, data=form, headers=PART)
    assert part.status_code == 422
    assert "amount:" in text_of(part.text)
    whole = client.post(address, data=form)
    assert "row-amount-problem" in outline(whole.text).ids
    fixed = client.post(address, data={"token": token, "row-phone": "false"}, headers=PART)
    assert fixed.status_code == 422
    assert "phone: The model's owner declares that this cannot be changed" in text_of(fixed.text)
    assert 'name="row-phone" disabled' in shown(client, case)


def test_what_would_change_the_outcome_leads_to_what_if(furnished: House) -> None:
    """Each way says its changes and the score, and its button tries them; none found is said with what was searched."""
    case = brought(furnished, instance={**ROW, "amount": 20.0}, threshold=0.75)
    client, token = furnished.person("analyst")
    part = client.post(f"/decisions/{case.facts.id}/changes", data={"token": token}, headers=PART)
    assert "No promise, no advice." in part.text
    fields = dict(re.findall(r'name="(row-[a-z]+)" value="([^"]*)"', part.text.split("</form>")[0]))
    tried = client.post(f"/decisions/{case.facts.id}/what-if", data={"token": token, **fields}, headers=PART)
    assert "instead of declined" in text_of(tried.text)
    hopeless = brought(furnished, threshold=0.01)
    none = client.post(f"/decisions/{hopeless.facts.id}/changes", data={"token": token})
    assert "Nothing was found." in none.text
    assert "Looked at:" in none.text


def test_similar_cases_are_past_decisions_and_a_group(furnished: House) -> None:
    """The background as a group, past decisions with outcome, verdict and what differs."""
    case = brought(furnished, external_id="this")
    other = brought(furnished, external_id="other", instance={**ROW, "months": 40})
    entered(furnished, person(furnished, "rita"), other, "uphold")
    client, token = furnished.person("analyst")
    part = client.post(f"/decisions/{case.facts.id}/similar", data={"token": token}, headers=PART)
    text = text_of(part.text)
    assert "Of the 20 nearest rows of the background" in text
    assert re.search(r"other declined upheld 0\.\d+ months 40 \(here 24\)", text)
    assert ">this</a>" not in part.text


def test_a_model_that_fails_is_said_where_it_was_asked(furnished: House) -> None:
    """The rest of the page stays."""
    case = brought(furnished)
    client, token = furnished.person("analyst")
    furnished.workers.failing = WorkerDied("its process ended")
    form = {"token": token, "row-amount": "0"}
    whole = client.post(f"/decisions/{case.facts.id}/what-if", data=form)
    assert whole.status_code == 502
    assert "Nothing was computed." in whole.text
    assert "Why, in plain words" in whole.text


def test_who_does_not_see_sizes_sees_reasons_alone(furnished: House) -> None:
    """A role whose policy draws no charts reads the outcome and the owner's words, and is told what is held back."""
    policy = Policy(values=False, most=3, detail="reasons", prediction="none")
    furnished.rooms.policies.set("analyst", "credit", policy, "tests")
    case = brought(furnished)
    client, token = furnished.person("analyst")
    page = shown(client, case)
    text = text_of(page)
    assert "Sizes are not shown to your role." in text
    assert "speaks for it" in text
    assert "Your role does not see the values of rows" in text
    assert f"{100 * case.facts.score:.1f}" not in text
    assert "points toward" not in text
    assert 'class="score"' not in page
    answer = client.post(f"/decisions/{case.facts.id}/what-if", data={"token": token}, headers=PART)
    assert answer.status_code == 403


def test_erased_lost_and_retired_are_designed_states(furnished: House) -> None:
    """What is gone is named, what is left is shown, and nothing more is asked of a retired version."""
    gone, kept = brought(furnished, subject="anna"), brought(furnished, subject="berta")
    rooms = furnished.rooms
    mark = rooms.receipts.seals.mark("anna")
    client, token = furnished.person("reviewer")
    furnished.rooms.registry.retire("credit", "1.0")
    text = text_of(shown(client, kept))
    assert "was retired on" in text
    assert "Look for changes" not in text
    answer = client.post(f"/decisions/{kept.facts.id}/changes", data={"token": token}, headers=PART)
    assert answer.status_code == 409
    rooms.ledger.append(furnished.entries()[-1].entry, [rooms.reviews.erasure(mark)])
    text = text_of(shown(client, gone))
    assert "were erased, as the person may ask" in text
    assert "nothing left to answer for" in text
    assert "erased" in client.get("/decisions?show=all").text


def test_a_lost_receipt_is_said(furnished: House) -> None:
    """Without its receipt the case shows what was kept with the decision itself."""
    case = brought(furnished, subject="anna")
    rooms = furnished.rooms
    erasing = Subjects(rooms.receipts).erasure(rooms.receipts.seals.mark("anna"), case.facts.created_at)
    rooms.ledger.append(furnished.entries()[-1].entry, [erasing])
    client, _ = furnished.person("reviewer")
    text = text_of(shown(client, case))
    assert "A receipt is lost." in text
    assert "Why, in plain words" in text


def test_an_auditor_reads_and_gives_no_verdict(furnished: House) -> None:
    """The page says so; a form that is sent all the same is refused."""
    case = brought(furnished)
    client, token = furnished.person("auditor")
    text = text_of(shown(client, case))
    assert "Your role reads cases and gives no verdicts." in text
    assert "does not ask the model" in text
    assert verdict(client, token, case, "uphold").status_code == 403


def test_another_program_s_case_is_not_found(furnished: House) -> None:
    """As one that was never there."""
    case = brought(furnished)
    client, token = furnished.person("application")
    shown(client, case, 404)
    answer = client.post(f"/decisions/{case.facts.id}/what-if", data={"token": token}, headers=PART)
    assert answer.status_code == 404
