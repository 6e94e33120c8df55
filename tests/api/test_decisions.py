"""Decision review over HTTP: what applications bring, reviewers answer for, and who is told what."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from explainer.records import Feature, Reason
from tests.house import House, build
from tests.registry.folders import FEATURES, ROW

URL = "/api/v1/decisions"
WHY = "The amount was typed wrongly."
PLAIN = tuple(
    Feature(f.name, f.type, f.categories, f.min, f.max, f.nullable, reason=Reason(f"{f.name} counts for it", "no"))
    for f in FEATURES
)


@pytest.fixture
def house(tmp_path: Any) -> House:
    """A house that says who sends its notices."""
    return build(
        tmp_path, notice_sender="The Bank", notice_address="1 Road", notice_contact="desk@bank", review_sample=0.0
    )


def client(house: House, role: str) -> tuple[FlaskClient, dict[str, str]]:
    return house.client(), {"Authorization": f"Bearer {house.key(role)}"}


def post(house: House, path: str, body: dict[str, Any], role: str = "demo") -> tuple[int, Any]:
    asked, headers = client(house, role)
    answer = asked.post(path, json=body, headers=headers)
    return answer.status_code, answer.json


def get(house: House, path: str, role: str = "demo", **query: Any) -> tuple[int, Any]:
    asked, headers = client(house, role)
    answer = asked.get(path, query_string=query, headers=headers)
    return answer.status_code, answer.json


def brought(house: House, role: str = "demo", **more: Any) -> dict[str, Any]:
    status, body = post(house, URL, {"model": "credit", "instance": ROW, **more}, role)
    assert status == 201, body
    found: dict[str, Any] = body["decision"]
    return found


def test_from_decision_to_notice(house: House) -> None:
    """Brought, listed, read, upheld; then the notice says in three forms what the decision said."""
    house.register(features=PLAIN)
    made = brought(house, external_id="A-1", subject="anna")
    status, body = get(house, URL, model="credit", external_id="A-1")
    assert [d["id"] for d in body["decisions"]] == [made["id"]]
    status, case = get(house, f"{URL}/{made['id']}")
    assert case["instance"] == ROW
    assert case["explanation"]["prediction"] == case["decision"]["score"]
    assert case["final_outcome"] == "declined"
    verdict = {"kind": "uphold", "reason": case["verdict_reasons"][0], "entries": 0}
    status, body = post(house, f"{URL}/{made['id']}/verdict", verdict, "reviewer")
    assert (status, body["decision"]["status"], body["verdict"]["seconds"]) == (200, "upheld", None)
    texts = [r["text"] for r in case["decision"]["reasons"]]
    status, body = get(house, f"{URL}/{made['id']}/notice")
    assert status == 200, body
    asked, headers = client(house, "auditor")
    page = asked.get(f"{URL}/{made['id']}/notice?format=html", headers=headers)
    letter = asked.get(f"{URL}/{made['id']}/notice?format=pdf", headers=headers)
    assert letter.mimetype == "application/pdf"
    printed = " ".join(" ".join(p.extract_text().split()) for p in PdfReader(io.BytesIO(letter.data)).pages)
    for text in texts:
        assert text in str(body["notice"])
        assert text in page.text
        assert text in printed


def test_a_protected_reason_blocks_the_notice(house: House) -> None:
    """409 with the factor's name; the ledger has the outcome that alerts are made of."""
    house.register()
    made = brought(house, instance={**ROW, "purpose": "other"})
    assert "purpose" in [r["code"] for r in made["reasons"] if r["protected"]]
    status, body = get(house, f"{URL}/{made['id']}/notice")
    assert (status, body["code"]) == (409, "notice-blocked")
    assert "purpose" in body["detail"]
    assert house.entries()[-1].entry.outcome == "notice-blocked"
    created = next(e.entry for e in house.entries() if e.entry.event == "api:decision:create")
    assert "protected-factor" in str(created.body["blocked"])


def test_an_application_is_told_no_more_than_its_policy(house: House) -> None:
    """Reasons without sizes; of a decision of its own the values that it sent."""
    house.register(features=PLAIN)
    made = brought(house, "application")
    assert made["reasons"]
    assert all("attribution" not in r for r in made["reasons"])
    status, case = get(house, f"{URL}/{made['id']}", "application")
    assert (status, made["withheld"][0]["what"]) == (404, "reasons")  # another key is another principal
    assert "'standard_error'" not in str(made)
    assert case["code"] == "not-found"


def test_four_eyes_over_http(house: House) -> None:
    """The key that proposed cannot confirm, another reviewer can; then the outcome is the other one."""
    house.register()
    made = brought(house)
    first, second = house.key("reviewer"), house.key("reviewer")
    path, reason = f"{URL}/{made['id']}/verdict", "Law or policy says otherwise"

    def verdict(key: str, kind: str) -> tuple[int, Any]:
        body = {"kind": kind, "reason": reason, "text": WHY}
        answer = house.client().post(path, json=body, headers={"Authorization": f"Bearer {key}"})
        return answer.status_code, answer.json

    assert verdict(first, "override")[1]["decision"]["status"] == "second-look"
    assert verdict(first, "confirm")[0] == 403
    assert verdict(second, "confirm")[1]["decision"]["status"] == "overridden"
    assert verdict(second, "confirm")[0] == 409
    status, case = get(house, f"{URL}/{made['id']}")
    assert (case["final_outcome"], len(case["verdicts"])) == ("granted", 2)
    status, body = get(house, f"{URL}/{made['id']}/notice")
    assert (status, body["code"]) == (409, "conflict")


def test_blind_first_over_http(house: House) -> None:
    """No score, outcome or reason before the judgement; then all of it."""
    house.register()
    made = brought(house, "application", blind=True)
    key = {"Authorization": f"Bearer {house.key('reviewer')}"}
    case = house.client().get(f"{URL}/{made['id']}", headers=key).json
    assert case["decision"]["hidden"]
    assert {case["decision"][n] for n in ("score", "outcome", "adverse")} == {None}
    assert (case["explanation"], case["possible"]) == (None, ["blind"])
    assert house.client().get(f"{URL}/{made['id']}/notice", headers=key).status_code == 409
    body = {"kind": "blind", "outcome": "granted"}
    told = house.client().post(f"{URL}/{made['id']}/verdict", json=body, headers=key).json
    assert told["decision"]["outcome"] == "declined"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"model": "credit"}, 422),
        ({"model": "credit", "instance": ROW, "x": 1}, 422),
        ({"model": "credit", "instance": ROW, "due_days": 0}, 422),
        ({"model": "credit", "instance": ROW, "outcome": "perhaps"}, 422),
        ({"model": "credit", "instance": {**ROW, "amount": "much"}}, 422),
        ({"model": "credit", "instance": [1, 2]}, 422),
        ({"model": "nothing", "instance": ROW}, 404),
        ({"model": "credit", "instance": ROW, "version": "9"}, 404),
    ],
)
def test_bad_decisions(house: House, body: dict[str, Any], status: int) -> None:
    """Each is a 4xx that names what is wrong."""
    house.register()
    assert post(house, URL, body)[0] == status


@pytest.mark.parametrize(
    "query", [{"show": "x"}, {"sort": "x"}, {"flag": "x"}, {"limit": 0}, {"limit": "a"}, {"x": 1}, {"external_id": "A"}]
)
def test_bad_queries(house: House, query: dict[str, Any]) -> None:
    """Each is refused by name."""
    assert get(house, URL, **query)[0] in {400, 422}


def test_ids_of_the_wrong_form(house: House) -> None:
    """Nothing but a decision's id is looked up."""
    for wrong in ("1", "dec_" + "I" * 26, "rcp_" + "0" * 26):
        assert get(house, f"{URL}/{wrong}")[0] in {404, 422}


def test_other_values_what_would_change_it_and_what_is_like_it(house: House) -> None:
    """Over HTTP as on the page: nothing is kept, the background is told as a group, past decisions by their ids."""
    house.register(features=PLAIN)
    made, other = brought(house), brought(house, instance={**ROW, "amount": 13.0})
    before = len(house.rooms.receipts._known([]))
    status, tried = post(house, f"{URL}/{made['id']}/what-if", {"values": {"amount": 1.0}})
    assert (status, tried["changed"]) == (200, ["amount"])
    assert tried["score"] == pytest.approx(tried["explanation"]["prediction"])
    assert tried["score"] < made["score"]
    assert len(house.rooms.receipts._known([])) == before
    status, found = post(house, f"{URL}/{made['id']}/changes", {})
    assert status == 200
    assert found["told"]
    assert all(a["score"] < 0.5 for a in found["answers"])
    status, alike = get(house, f"{URL}/{made['id']}/similar")
    assert [p["decision"] for p in alike["past"]] == [other["id"]]
    assert alike["background"]["count"] == 0, "two rows are fewer than the smallest group"
    status, body = post(house, f"{URL}/{made['id']}/what-if", {"values": {"nothing": 1}})
    assert status == 422
    assert "nothing" in str(body)
    assert post(house, f"{URL}/{made['id']}/what-if", {"values": {"amount": 1.0}}, "auditor")[0] == 403
