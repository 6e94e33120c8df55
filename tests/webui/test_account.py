"""Signing in and out."""

from __future__ import annotations

from tests.house import PASSWORD, House


def test_signing_in_and_out(house: House) -> None:
    """A wrong password says no more than that; the right one leads in; signing out ends the session everywhere."""
    house.rooms.access.people.add("anna", PASSWORD, "analyst")
    client = house.client()
    wrong = client.post("/sign-in", data={"name": "anna", "password": "wrong"})
    nobody = client.post("/sign-in", data={"name": "nobody", "password": "wrong"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.text.replace("anna", "") == nobody.text.replace("nobody", "")
    client.post("/sign-in", data={"name": "anna", "password": PASSWORD})
    cookie = client.get_cookie("explainer_session")
    assert cookie is not None
    assert client.get("/models").status_code == 200
    assert client.post("/sign-out", data={"token": house.rooms.access.csrf_token(cookie.value)}).status_code == 303
    client.set_cookie("explainer_session", cookie.value)
    assert client.get("/models").status_code == 302
    events = [(e.entry.event, e.entry.outcome) for e in house.entries()]
    assert events == [
        ("page:session:create", "not-authenticated"),
        ("page:session:create", "not-authenticated"),
        ("page:session:create", "answered"),
        ("page:model:list", "answered"),
        ("page:session:end", "answered"),
        ("page:card:read", "not-authenticated"),
    ]
