"""Approving over HTTP."""

from __future__ import annotations

from explainer.records import Notice
from tests.house import House
from tests.registry.folders import REPORT, ROW, write_folder

PATH = "/api/v1/models/credit/versions/1.0/approve"
BODY = {"accept": {"scaffold": "Both of us looked at it."}}


def headers(house: House, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.key(role)}"}


def waiting(house: House) -> None:
    candidate = house.rooms.registry.check(write_folder(house.folder / "model"))
    house.rooms.registry.admit(candidate, REPORT, (Notice("scaffold", "Another model."),), "key_somebody")


def test_a_version_that_waits_says_so_and_comes_in(house: House) -> None:
    """It is listed as pending, answers 409 to who asks it, and 200 after an owner has approved it."""
    waiting(house)
    client, owner = house.client(), headers(house, "owner")
    (line,) = client.get("/api/v1/models", headers=owner).json["models"]
    assert line["pending"] is True
    page = client.get("/api/v1/models/credit/versions/1.0", headers=owner).json["model"]
    assert [n["code"] for n in page["notices"]][-2:] == ["scaffold", "pending"]
    ask = {"json": {"instances": [ROW]}, "headers": owner}
    refused = client.post("/api/v1/models/credit/explain", **ask)
    assert (refused.status_code, "waits for approval" in refused.json["detail"]) == (409, True)
    assert client.post(PATH, json=BODY, headers=owner).json["model"]["pending"] is False
    assert client.post("/api/v1/models/credit/explain", **ask).status_code == 200
    assert house.rooms.ledger.read(limit=1000)[-2].entry.event == "api:version:approve"


def test_what_is_wrong_with_an_approval_is_told(house: House) -> None:
    """A missing reason 422, an unknown field 422, a role that may not 403, nobody 401; the version waits on."""
    waiting(house)
    client = house.client()
    for body, role, status in (
        ({"accept": {}}, "owner", 422),
        ({"accepted": {}}, "owner", 422),
        (BODY, "analyst", 403),
    ):
        assert client.post(PATH, json=body, headers=headers(house, role)).status_code == status
    assert client.post(PATH, json=BODY).status_code == 401
    assert house.rooms.registry.names() == ()
