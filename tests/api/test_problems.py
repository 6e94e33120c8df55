"""Errors as RFC 9457 problem details."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask, g
from pydantic import ValidationError

from explainer import errors
from explainer.api.problems import problem_response, refuse_settings
from explainer.api.requests import ExplainBody
from explainer.errors import ExplainerError, InvalidOption, InvalidRows, NotAuthenticated, Overloaded, Problem
from tests.house import House

KINDS = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, ExplainerError)]


def answered(error: ExplainerError) -> Any:
    with Flask("test").test_request_context("/"):
        g.request_id = "request-1"
        return problem_response(error)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_error_has_the_one_shape(kind: type[ExplainerError]) -> None:
    """type, title, status, code, detail and request_id, under the media type of RFC 9457."""
    answer = answered(kind("what happened, and what to do"))
    body = json.loads(answer.data)
    assert answer.mimetype == "application/problem+json"
    assert answer.status_code == body["status"] == kind.status
    assert body["type"].endswith(f":{body['code']}")
    assert (body["code"], body["title"]) == (kind.code, kind.title)
    assert (body["detail"], body["request_id"]) == ("what happened, and what to do", "request-1")
    assert "problems" not in body


def test_several_problems_are_listed() -> None:
    """Each finding has where, rule and detail, in order."""
    found = [Problem("instances[0].a", "type", "no number"), Problem("instances[1].b", "max", "too much")]
    body = json.loads(answered(InvalidRows("two", problems=found)).data)
    assert body["problems"][1] == {"where": "instances[1].b", "rule": "max", "detail": "too much"}
    assert len(body["problems"]) == 2


def test_headers_tell_what_to_do_next() -> None:
    """401 names the scheme, 503 says when to come back."""
    assert answered(NotAuthenticated("x")).headers["WWW-Authenticate"] == 'Bearer realm="explainer"'
    assert answered(Overloaded("x")).headers["Retry-After"] == "1"


def refused(body: Any) -> InvalidOption:
    with pytest.raises(ValidationError) as found:
        ExplainBody.model_validate(body)
    with pytest.raises(InvalidOption) as caught:
        refuse_settings(found.value)
    return caught.value


def test_settings_are_refused_field_by_field() -> None:
    """Every wrong field is named at once, under the name that the caller used."""
    error = refused({"instances": [], "top": 0, "class": 3, "seed": -1, "output": "odds", "colour": "red"})
    assert {p.where for p in error.problems} == {"top", "class", "seed", "output", "colour"}
    assert error.detail.startswith(error.problems[0].where)
    assert all(p.rule and p.detail for p in error.problems)


@pytest.mark.parametrize("body", [[], "text", 3, None])
def test_a_body_that_is_no_object_is_named_as_such(body: Any) -> None:
    """The place of a flaw in the body as a whole is called `body`."""
    assert refused(body).problems[0].where == "body"


def test_a_missing_field_is_named() -> None:
    """`instances` cannot be left out."""
    error = refused({})
    assert [(p.where, p.rule) for p in error.problems] == [("instances", "missing")]


def test_the_document_says_of_every_problem_that_it_is_one(house: House) -> None:
    """Each answer of the shape of a problem is documented with its own media type, and no other is."""
    document = house.client().get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {house.key()}"}).json
    kinds = {
        (media, status[0] in "45")
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        for media in response.get("content", {})
    }
    assert ("application/problem+json", True) in kinds
    assert ("application/problem+json", False) not in kinds
    assert ("application/json", True) not in kinds
