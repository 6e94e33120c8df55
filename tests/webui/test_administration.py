"""Administration of people and keys on pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from explainer.access.sessions import Origin
from explainer.errors import NotAuthenticated
from tests.house import PASSWORD, House
from tests.webui.site import SCRIPT, outline

PEOPLE, KEYS = "/administration/people", "/administration/keys"


@pytest.fixture
def boss(house: House) -> tuple[FlaskClient, str]:
    return house.person("administrator")


def link_in(page: str) -> str:
    found = re.search(r"/invitation/[A-Za-z0-9_-]{43}", page)
    assert found is not None
    return found[0]


def key_in(page: str) -> str:
    found = re.search(r"xk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", page)
    assert found is not None
    return found[0]


def test_a_person_is_added_by_a_link(house: House, boss: tuple[FlaskClient, str]) -> None:
    """The link is shown once and leads the person in, with the role and the models that were chosen."""
    client, token = boss
    outline(client.get(PEOPLE).text)
    form = {"token": token, "name": "bert", "role": "application", "models": "credit, house"}
    page = client.post(PEOPLE, data=form)
    outline(page.text)
    link = link_in(page.text)
    assert f"http://localhost{link}" in page.text
    listed = client.get(PEOPLE)
    outline(listed.text)
    assert link not in listed.text
    guest = house.client()
    assert guest.post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
    bert = house.rooms.access.people.named("bert")
    assert (bert.role, bert.models) == ("application", ("credit", "house"))
    assert link.rsplit("/", 1)[1] not in str(house.entries())


def test_a_persons_page_changes_everything_about_them(house: House, boss: tuple[FlaskClient, str]) -> None:
    """Role and models, state, factors, sessions, and a link to a new password."""
    client, token = boss
    access = house.rooms.access
    bert = access.people.add("bert", PASSWORD, "analyst")
    page = f"{PEOPLE}/{bert.id}"

    def session() -> str:
        return access.door.begin(bert, Origin("10.0.0.9", "Firefox on Linux"), proven=True)

    def ended(session: str) -> bool:
        try:
            access.principal_of_session(session)
        except NotAuthenticated:
            return True
        return False

    open_one = session()
    shown = client.get(page).text
    outline(shown)
    assert "Firefox on Linux" in shown
    change = {"token": token, "role": "reviewer", "models": "credit"}
    assert client.post(f"{page}/role", data=change).headers["Location"] == page
    assert (access.people.get(bert.id).role, access.people.get(bert.id).models) == ("reviewer", ("credit",))
    assert ended(open_one)
    access.factors.recovery.renew(bert.id)
    open_one = session()
    client.post(f"{page}/factors", data={"token": token})
    assert access.factors.of(bert.id).codes_left == 0
    assert ended(open_one)
    first, second = session(), session()
    one = access.door.visit(first).session.id
    client.post(f"{page}/sessions", data={"token": token, "session": one})
    assert (ended(first), ended(second)) == (True, False)
    client.post(f"{page}/sessions", data={"token": token})
    assert ended(second)
    link = link_in(client.post(f"{page}/link", data={"token": token}).text)
    assert house.client().get(link).status_code == 200
    client.post(f"{page}/state", data={"token": token, "state": "disabled"})
    assert access.people.get(bert.id).disabled
    outline(client.get(page).text)
    client.post(f"{page}/state", data={"token": token, "state": "enabled"})
    assert not access.people.get(bert.id).disabled


def test_nobody_changes_their_own_rights(house: House, boss: tuple[FlaskClient, str]) -> None:
    """An administrator who wants to see rows has to ask another one; the page offers none of it."""
    client, token = boss
    me = next(p for p in house.rooms.access.people.all() if p.role == "administrator")
    page = client.get(f"{PEOPLE}/{me.id}").text
    outline(page)
    assert "This is you" in page
    assert "<select" not in page
    for what, more in (("role", {"role": "reviewer"}), ("state", {"state": "disabled"}), ("factors", {}), ("link", {})):
        assert client.post(f"{PEOPLE}/{me.id}/{what}", data={"token": token, **more}).status_code == 403, what
    assert house.rooms.access.people.get(me.id).role == "administrator"


def test_keys_are_issued_rotated_and_revoked(house: House, boss: tuple[FlaskClient, str]) -> None:
    """Each shown once; the rotated one opens on for a day, the revoked one not at all."""
    client, token = boss
    outline(client.get(KEYS).text)
    form = {"token": token, "name": "loan desk", "role": "application", "scope": "models:card:read", "days": "30"}
    page = client.post(KEYS, data=form)
    outline(page.text)
    text = key_in(page.text)
    old = house.rooms.access.principal_of_bearer(text)
    listed = client.get(KEYS).text
    outline(listed)
    assert text not in listed
    assert "only models:card:read" in listed
    key_id = text.split("_")[1]
    new = key_in(client.post(f"{KEYS}/{key_id}/rotate", data={"token": token}).text)
    assert house.rooms.access.principal_of_bearer(new) == house.rooms.access.principal_of_bearer(text) == old
    outline(client.get(KEYS).text)
    assert client.post(f"{KEYS}/{key_id}/rotate", data={"token": token}).status_code == 409
    assert client.post(f"{KEYS}/{key_id}/revoke", data={"token": token}).headers["Location"] == KEYS
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_bearer(text)
    assert text[12:] not in str(house.entries())


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""},
        {"name": "x", "role": "king"},
        {"name": "x", "role": "local"},
        {"name": "x", "scope": "access:key:manage"},
        {"name": "x", "days": "-1"},
        {"name": "x", "days": "4000"},
        {"name": "x", "days": "ten"},
        {"name": "x", "days": "٣"},
    ],
)
def test_what_cannot_be_issued_is_said(house: House, boss: tuple[FlaskClient, str], form: dict[str, str]) -> None:
    """A page with the reason; no key is made."""
    client, token = boss
    page = client.post(KEYS, data={"role": "application", **form, "token": token}, headers={"Accept": "text/html"})
    assert page.status_code == 422
    outline(page.text)
    assert house.rooms.access.keys.all() == []


def test_names_are_text(house: House, boss: tuple[FlaskClient, str]) -> None:
    """Markup in the name of a person or a key is shown as it was typed."""
    client, token = boss
    for path, form in ((PEOPLE, {"name": SCRIPT, "role": "analyst"}), (KEYS, {"name": SCRIPT, "role": "application"})):
        for page in (client.post(path, data={**form, "token": token}), client.get(path)):
            outline(page.text)
            assert html.escape(SCRIPT) in page.text


@pytest.mark.parametrize("role", ["application", "analyst", "reviewer", "auditor", "owner", "demo"])
def test_nobody_else_administers(house: House, role: str) -> None:
    """The pages are refused, and their links are not shown."""
    house.register()
    client, token = house.person(role)
    assert client.get(PEOPLE).status_code == client.get(KEYS).status_code == 403
    assert client.post(PEOPLE, data={"token": token, "name": "x", "role": "owner"}).status_code == 403
    assert client.post(KEYS, data={"token": token, "name": "x", "role": "owner"}).status_code == 403
    assert "/administration/" not in client.get("/models").text


def test_every_step_has_one_entry(house: House, boss: tuple[FlaskClient, str]) -> None:
    """Looked at, changed or refused: one each."""
    client, token = boss
    bert = house.rooms.access.people.add("bert", PASSWORD, "analyst")
    _, key = house.rooms.access.keys.issue("k", "analyst")
    form, page = {"token": token}, f"{PEOPLE}/{bert.id}"
    asked: list[Callable[[], object]] = [
        lambda: client.get(PEOPLE),
        lambda: client.post(PEOPLE, data={**form, "name": "x", "role": "analyst"}),
        lambda: client.post(PEOPLE, data={**form, "name": "x", "role": "king"}),
        lambda: client.get(page),
        lambda: client.get(f"{PEOPLE}/usr_0"),
        lambda: client.post(f"{page}/role", data={**form, "role": "owner"}),
        lambda: client.post(f"{page}/link", data=form),
        lambda: client.post(f"{page}/factors", data=form),
        lambda: client.post(f"{page}/sessions", data=form),
        lambda: client.post(f"{page}/state", data={**form, "state": "disabled"}),
        lambda: client.get(KEYS),
        lambda: client.post(KEYS, data={**form, "name": "x", "role": "application"}),
        lambda: client.post(KEYS, data={**form, "name": "x", "role": "king"}),
        lambda: client.post(KEYS, data={**form, "name": "x", "role": "application", "days": "x"}),
        lambda: client.post(f"{KEYS}/{key.id}/rotate", data=form),
        lambda: client.post(f"{KEYS}/{key.id}/revoke", data=form),
        lambda: client.post(f"{KEYS}/aaaaaaaa/revoke", data=form),
    ]
    for i, ask in enumerate(asked):
        before = len(house.entries())
        ask()
        assert len(house.entries()) - before == 1, i
