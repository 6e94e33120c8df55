"""The OpenAPI document says what the routes do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from explainer.api import answers
from explainer.api.answers import CompareAnswer, ExplainAnswer
from explainer.settings import SESSION_COOKIE
from tests.house import House
from tests.registry.folders import ROW


@pytest.fixture
def document(house: House) -> Any:
    answer = house.client().get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {house.key()}"})
    assert answer.status_code == 200, answer.data
    return answer.json


def test_it_is_a_valid_openapi_document(document: Any) -> None:
    """The document is OpenAPI 3.1 by the specification's own schema."""
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_it_names_every_route(house: House, document: Any) -> None:
    """Each route of the API with each of its verbs is described, and nothing that is not there."""
    rules = house.client().application.url_map.iter_rules()
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), verb.lower())
        for rule in rules
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "document.openapi"
    }
    assert {(path, verb) for path, item in document["paths"].items() for verb in item} == routes


def test_every_operation_says_who_may_and_how_it_fails(document: Any) -> None:
    """Each operation asks for a key, has a summary, and describes its problems as they are sent."""
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["security"] == [{"key": []}], path
            assert operation["summary"], path
            assert {"401", "403", "404", "503"} <= set(operation["responses"]), path
            assert {"200", "201", "202"} & set(operation["responses"]), path


def test_it_names_no_other_host(document: Any) -> None:
    """Neither the document nor its page leads anywhere else."""
    assert "http://" not in str(document.get("servers", []))
    assert "https://" not in str(document.get("servers", []))


def fits(model: Any, body: Any) -> None:
    """The described shape has every field that is sent: nothing is dropped on the way through it."""
    assert model.model_validate(body, strict=True).model_dump(by_alias=True, exclude_unset=True) == body


@pytest.mark.parametrize("settings", [{}, {"method": "lime"}, {"top": 2}, {"class": "all"}])
def test_explanations_are_as_described(house: House, settings: dict[str, Any]) -> None:
    """What explain and compare send has exactly the fields that the document describes."""
    house.register()
    headers = {"Authorization": f"Bearer {house.key()}"}
    ask = {"instances": [ROW, {**ROW, "months": None}], **settings}
    for path, model in (("explain", ExplainAnswer), ("compare", CompareAnswer)):
        answer = house.client().post(f"/api/v1/models/credit/{path}", json=ask, headers=headers)
        assert answer.status_code == 200, answer.data
        fits(model, answer.json)


def test_other_answers_are_as_described(house: House) -> None:
    """The same for models, predictions, receipts, the ledger and problems."""
    house.register()
    client, headers = house.client(), {"Authorization": f"Bearer {house.key()}"}
    receipt = client.post("/api/v1/models/credit/explain", json={"instances": [ROW]}, headers=headers).json[
        "explanations"
    ][0]["receipt"]
    for path, model in {
        "/api/v1/models": answers.ModelsAnswer,
        "/api/v1/models/credit": answers.ModelAnswer,
        f"/api/v1/receipts/{receipt}": answers.ReceiptAnswer,
        "/api/v1/ledger/verify": answers.VerifyAnswer,
        "/api/v1/models/absent": answers.ProblemAnswer,
    }.items():
        fits(model, client.get(path, headers=headers).json)
    fits(answers.ReplayAnswer, client.post(f"/api/v1/receipts/{receipt}/replay", headers=headers).json)
    sent = {"instances": [ROW]}
    fits(answers.PredictAnswer, client.post("/api/v1/models/credit/predict", json=sent, headers=headers).json)
    wrong = client.post("/api/v1/models/credit/predict", json={"instances": [{}]}, headers=headers)
    fits(answers.ProblemAnswer, wrong.json)


def test_the_page_opens_with_a_session_or_a_key(house: House) -> None:
    """People look at the document in a browser; the page loads its parts from here and has no inline script."""
    client, _ = house.person()
    assert SESSION_COOKIE
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert not re.findall(r"<script(?![^>]*\bsrc=)", page.text)
    for part in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert part.startswith("/")
        assert client.get(part).status_code == 200, part


def test_the_page_as_an_error_is_a_page(house: House) -> None:
    """A browser without a session gets a page that says so, a program a problem."""
    page = house.client().get("/api/docs", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (401, "text/html")
    assert house.client().get("/api/docs").mimetype == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/models", "/api/v1/models/credit"])
def test_what_has_not_changed_is_not_sent_again(house: House, path: str) -> None:
    """A tag comes with it; whoever sends the tag back gets 304 without a body, until something changes."""
    house.register()
    headers = {"Authorization": f"Bearer {house.key()}"}
    first = house.client().get(path, headers=headers)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert tag.startswith("W/") is (path != "/api/v1/openapi.json")  # the request's id differs, nothing else
    again = house.client().get(path, headers={**headers, "If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert len(house.entries()) == 2
    assert house.client().get(path, headers={**headers, "If-None-Match": '"other"'}).status_code == 200
    if "models" in path:
        house.register(version="2.0")
        changed = house.client().get(path, headers={**headers, "If-None-Match": tag})
        assert (changed.status_code, changed.headers["ETag"] == tag) == (200, False)


def test_a_tag_opens_nothing(house: House) -> None:
    """Without a key, or with one that may not see the model, a known tag is refused as any request."""
    house.register()
    path = "/api/v1/models/credit"
    tag = house.client().get(path, headers={"Authorization": f"Bearer {house.key()}"}).headers["ETag"]
    other = {"Authorization": f"Bearer {house.key('analyst', models=('other',))}"}
    assert house.client().get(path, headers={"If-None-Match": tag}).status_code == 401
    assert house.client().get(path, headers={**other, "If-None-Match": tag}).status_code == 403
