"""Records as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from flask import Flask, g

from explainer.api.render import answer, json_response, model_line, model_page, receipt_line
from explainer.records import ExplainOptions, Feature, Receipt
from explainer.usecases.models import show_model
from tests.house import House
from tests.registry.folders import FEATURES


@pytest.fixture(autouse=True)
def request_id() -> Any:
    with Flask("test").test_request_context("/"):
        g.request_id = "request-1"
        yield


def test_answers_are_private_json_with_every_bit() -> None:
    """Numbers are written so that reading them gives the same bits; nobody on the way may keep them."""
    number = 0.1 + 0.2
    response = json_response({"a": number})
    assert response.json == {"a": number}
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "private, no-store"


def test_every_answer_of_a_model_says_which(house: House) -> None:
    """Name, version, digest and request id stand beside the answer."""
    version = house.register()
    body = answer(version, explanations=[]).json
    assert body == {
        "model": {"name": "credit", "version": "1.0", "digest": version.digest},
        "request_id": "request-1",
        "explanations": [],
    }


def test_a_page_tells_the_whole_schema(house: House) -> None:
    """Every field of every feature is there, in schema order; a reader can build a row from it."""
    house.register()
    body = model_page(show_model(house.rooms, house.caller(), "credit"))
    assert [f["name"] for f in body["schema"]] == [f.name for f in FEATURES]
    for shown, feature in zip(body["schema"], FEATURES, strict=True):
        assert set(shown) == {f.name for f in dataclasses.fields(Feature)}
        assert shown["categories"] == list(feature.categories)
        assert (shown["min"], shown["max"], shown["nullable"]) == (feature.min, feature.max, feature.nullable)
        assert shown["protected"] is feature.protected
    decision = body["decision"]
    assert (decision["threshold"], decision["favourable"], decision["adverse"]) == (0.5, "granted", "declined")
    assert decision["adverse_when"] == "at_or_above"
    assert body["card"]["text"].startswith("# Card")
    assert body["background"]["rows"] == 2
    assert [v["version"] for v in body["versions"]] == ["1.0"]
    assert json_response(body).json == body


def test_a_model_without_decision_has_none(house: House) -> None:
    """What the manifest leaves out is null, not missing."""
    house.register(decision=None)
    assert model_page(show_model(house.rooms, house.caller(), "credit"))["decision"] is None


def test_a_line_says_whether_a_version_is_retired(house: House) -> None:
    """Retired versions are listed with the time."""
    house.register()
    version = house.rooms.registry.retire("credit", "1.0")
    assert model_line(version)["retired_at"] == version.retired_at is not None


def test_a_receipt_line_holds_no_row() -> None:
    """What identifies the answer is shown; row and principal are the disclosure's matter."""
    row = tuple(np.array([1.5, 2.5]).tolist())
    receipt = Receipt("rcp_1", "now", "key_x", "credit", "1.0", "d", ExplainOptions(), row, b"{}", "sha")
    assert receipt_line(receipt) == {
        "id": "rcp_1",
        "created_at": "now",
        "model": {"name": "credit", "version": "1.0", "digest": "d"},
        "answer_sha256": "sha",
    }
