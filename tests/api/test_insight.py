"""The routes beyond one number: what goes in, what comes out, in the shapes that the document promises."""

from __future__ import annotations

from typing import Any

import pytest

from explainer.api import answers
from tests.house import House
from tests.registry.folders import ROW

OTHER = {**ROW, "amount": 3.0}


def post(house: House, path: str, body: Any, **headers: str) -> Any:
    given = {"Authorization": f"Bearer {house.key()}", **headers}
    return house.client().post(f"/api/v1/models/credit{path}", json=body, headers=given)


@pytest.mark.parametrize("path", ["/interactions", "/versions/1.0/interactions"])
def test_interactions_are_answered(house: House, path: str) -> None:
    """The leading pairs of each row, of the current or the pinned version, in the documented shape."""
    house.register()
    sent = {"instances": [ROW, OTHER], "class": "all", "top": 3, "method": "auto"}
    found = post(house, path, sent)
    assert found.status_code == 200, found.json
    assert [(i["row"], i["class"]) for i in found.json["interactions"]] == [
        (0, "bad"),
        (0, "good"),
        (1, "bad"),
        (1, "good"),
    ]
    parsed = answers.InteractAnswer.model_validate(found.json)
    assert parsed.model_dump(by_alias=True, exclude_unset=True) == found.json


@pytest.mark.parametrize("path", ["/importance", "/versions/1.0/importance"])
def test_importance_is_answered(house: House, path: str) -> None:
    """A summary with every point, of the current or the pinned version, in the documented shape."""
    house.register()
    found = post(house, path, {"instances": [ROW, OTHER], "points": True, "top": 2})
    assert found.status_code == 200, found.json
    (item,) = found.json["importance"]
    assert [len(f["attributions"]) for f in item["features"]] == [2, 2]
    parsed = answers.ImportanceAnswer.model_validate(found.json)
    assert parsed.model_dump(by_alias=True, exclude_unset=True) == found.json


@pytest.mark.parametrize("path", ["/explain", "/compare", "/interactions", "/importance"])
def test_rows_of_the_request_can_be_the_background(house: House, path: str) -> None:
    """Every kind of explanation takes a baseline or a cohort, and names it by its digest."""
    house.register()
    found = post(house, path, {"instances": [ROW], "background": {"rows": [OTHER, ROW]}})
    assert found.status_code == 200, found.json
    assert "rows:" in found.text
    wrong = post(house, path, {"instances": [ROW], "background": {"rows": [OTHER, {**ROW, "purpose": "boat"}]}})
    assert wrong.status_code == 422
    assert [p["where"] for p in wrong.json["problems"]] == ["background.rows[1].purpose"]


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("/interactions", {"method": "lime"}),
        ("/interactions", {"top": 0}),
        ("/interactions", {"tolerance": 0.1}),
        ("/interactions", {"deadline_ms": 10}),
        ("/interactions", {"background": {"rows": 3}}),
        ("/importance", {"points": "yes"}),
        ("/importance", {"background": {"row": []}}),
    ],
)
def test_wrong_settings_are_named(house: House, path: str, setting: dict[str, Any]) -> None:
    """A setting that is not known or cannot be is a problem with its name, and nothing is computed."""
    house.register()
    found = post(house, path, {"instances": [ROW], **setting})
    assert found.status_code == 422
    assert [p["where"] for p in found.json["problems"]] == list(setting)
    assert house.workers.asked == []


@pytest.mark.parametrize("path", ["/interactions", "/importance"])
def test_who_may_not_is_turned_away(house: House, path: str) -> None:
    """No key: 401. A role without the permission: 403. Each with one ledger entry."""
    house.register()
    client, url = house.client(), f"/api/v1/models/credit{path}"
    assert client.post(url, json={"instances": [ROW]}).status_code == 401
    key = {"Authorization": f"Bearer {house.key('administrator')}"}
    assert client.post(url, json={"instances": [ROW]}, headers=key).status_code == 403
    assert len(house.entries()) == 2
