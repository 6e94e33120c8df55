"""One's own account."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from flask.testing import FlaskClient

from explainer.access.clock import written
from explainer.access.sessions import Origin
from tests.access.authenticator import Device
from tests.house import PASSWORD, House
from tests.webui.site import outline
from tests.webui.test_signing_in import LOCAL, cookie_of, options_in

NEW = "another good password"


@pytest.fixture
def client(house: House) -> FlaskClient:
    """Anna, an owner, signed in with everything."""
    made, _ = house.person("owner")
    return made


def token(house: House, client: FlaskClient) -> str:
    return house.rooms.access.csrf_token(cookie_of(client))


def set_up_app(house: House, client: FlaskClient) -> tuple[str, str]:
    """Go through the pages; returns the app's secret and the last page."""
    page = client.get("/account/app")
    outline(page.text)
    found = re.search(r'<code class="long">([A-Z2-7]{32})</code>', page.text)
    assert found is not None
    form = {"token": token(house, client), "code": pyotp.TOTP(found[1]).now()}
    return found[1], client.post("/account/app", data=form).text


def age(house: House, client: FlaskClient, minutes: int) -> None:
    """Make the session that old."""
    access = house.rooms.access
    session = access.door.visit(cookie_of(client)).session
    began = written(access.keys._clock() - timedelta(minutes=minutes))
    query = "UPDATE sessions SET started_at = ?, expires_at = expires_at WHERE id = ?"
    access._file.write(lambda c: c.execute(query, (began, session.id)))


def test_the_page_shows_who_one_is_and_where(house: House, client: FlaskClient) -> None:
    """Role, models, factors and sessions, the present one marked."""
    page = client.get("/account").text
    outline(page)
    for words in ("owner", "not set up", "this one", "from 127.0.0.1"):
        assert words in page


def test_an_app_is_set_up_with_recovery_codes(house: House, client: FlaskClient) -> None:
    """The codes are shown this once; the QR code is drawn in the page and says the same as the secret."""
    secret, page = set_up_app(house, client)
    outline(page)
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", page)
    assert len(codes) == 10
    shown = client.get("/account?done=app").text
    assert "The authenticator app is set up." in shown
    assert "10 of 10 unused" in shown
    assert secret not in shown
    assert codes[0] not in shown
    body = str([e.entry for e in house.entries()])
    assert secret not in body
    assert codes[0] not in body


def test_a_wrong_code_can_be_mended(house: House, client: FlaskClient) -> None:
    """The same secret is shown again, with a sentence."""
    before = client.get("/account/app").text
    answer = client.post("/account/app", data={"token": token(house, client), "code": "000000"})
    assert answer.status_code == 303
    again = client.get(answer.headers["Location"]).text
    assert "not the code" in again
    found = re.search(r"[A-Z2-7]{32}", before)
    assert found is not None
    assert found[0] in again


def test_the_first_factor_ends_the_set_up(house: House) -> None:
    """With the app's code the half session becomes a full one, and the person goes where they wanted to."""
    house.rooms.access.people.add("anna", PASSWORD, "owner")
    client = house.client()
    client.post("/sign-in", data={"name": "anna", "password": PASSWORD})
    half = cookie_of(client)
    _, page = set_up_app(house, client)
    assert "Recovery codes" in page
    assert cookie_of(client) != half
    assert client.get("/account").status_code == 200
    client.set_cookie("explainer_session", half)
    assert client.get("/account").status_code == 302


def test_a_passkey_is_added_named_and_removed(house: House, client: FlaskClient) -> None:
    """With recovery codes when it is the first factor; the last one has to stay where the role needs one."""
    device = Device("localhost", "http://localhost:8080")
    page = client.get("/account/passkeys", **LOCAL).text
    outline(page)
    form = {"token": token(house, client), "name": "my <key>", "answer": device.make(options_in(page, "create"))}
    made = client.post("/account/passkeys", data=form, **LOCAL)
    assert "Recovery codes" in made.text
    shown = client.get("/account", **LOCAL).text
    outline(shown)
    assert "my &lt;key&gt;" in shown
    found = re.search(r'name="passkey" value="([^"]+)"', shown)
    assert found is not None
    remove = {"token": token(house, client), "passkey": found[1]}
    assert client.post("/account/passkeys/remove", data=remove).status_code == 409
    set_up_app(house, client)
    assert client.post("/account/passkeys/remove", data=remove).headers["Location"] == "/account?done=passkey-removed"
    assert client.post("/account/app/remove", data={"token": token(house, client)}).status_code == 409


def test_an_answer_for_another_session_makes_no_passkey(house: House, client: FlaskClient) -> None:
    """What one session asked another cannot use."""
    other, other_token = house.person("owner")
    device = Device("localhost", "http://localhost:8080")
    asked = options_in(client.get("/account/passkeys", **LOCAL).text, "create")
    form = {"token": other_token, "name": "x", "answer": device.make(asked)}
    assert other.post("/account/passkeys", data=form, **LOCAL).status_code in {303, 401, 403}
    assert "Passkey x" not in other.get("/account").text


def test_without_a_host_name_there_are_no_passkeys(client: FlaskClient) -> None:
    """At an address of numbers browsers refuse them: the page says what to do."""
    page = client.get("/account/passkeys", base_url="http://127.0.0.1:8080", headers={"Accept": "text/html"})
    assert page.status_code in {302, 409}


def test_the_password_is_changed_by_whoever_knows_it(house: House, client: FlaskClient) -> None:
    """All other sessions end, this one gets a new cookie; the old password no longer fits."""
    name = house.rooms.access.door.visit(cookie_of(client)).person.name
    other = house.rooms.access.door.begin(house.rooms.access.people.named(name), _origin(), proven=True)
    outline(client.get("/account/password").text)
    for form, says in (
        ({"old": "wrong password", "password": NEW, "again": NEW}, "present password is not right"),
        ({"old": PASSWORD, "password": NEW, "again": "other"}, "not the same"),
        ({"old": PASSWORD, "password": "short", "again": "short"}, "12 to 1024"),
    ):
        refused = client.post("/account/password", data={**form, "token": token(house, client)})
        assert refused.status_code == 422
        assert says in refused.text
        outline(refused.text)
    before = cookie_of(client)
    form = {"old": PASSWORD, "password": NEW, "again": NEW, "token": token(house, client)}
    assert client.post("/account/password", data=form).status_code == 303
    assert cookie_of(client) != before
    assert client.get("/account?done=password").status_code == 200
    client.set_cookie("explainer_session", other)
    assert client.get("/account").status_code == 302
    assert house.rooms.access.people.check(name, NEW, "a").name == name
    assert not {PASSWORD, NEW} & {str(v) for e in house.entries() for v in e.entry.body.values()}


def _origin() -> Origin:
    return Origin("10.0.0.9", "Safari on iPhone")


def test_sessions_are_listed_and_ended(house: House, client: FlaskClient) -> None:
    """One by one or all others; another person's is not there."""
    person = house.rooms.access.door.visit(cookie_of(client)).person
    for _ in range(2):
        house.rooms.access.door.begin(person, _origin(), proven=True)
    page = client.get("/account").text
    assert page.count("Safari on iPhone") == 2
    found = re.search(r'name="session" value="(ses_\w+)"', page)
    assert found is not None
    stranger, stranger_token = house.person("owner")
    foreign = {"token": stranger_token, "session": found[1]}
    assert stranger.post("/account/sessions/end", data=foreign).status_code == 404
    form = {"token": token(house, client)}
    assert client.post("/account/sessions/end", data={**form, "session": found[1]}).status_code == 303
    assert client.get("/account").text.count("Safari on iPhone") == 1
    assert client.post("/account/sessions/end", data=form).status_code == 303
    assert "Safari on iPhone" not in client.get("/account").text


def test_factors_are_changed_after_a_recent_sign_in_only(house: House, client: FlaskClient) -> None:
    """Whoever finds an open session from the morning cannot add their own telephone to it."""
    set_up_app(house, client)
    age(house, client, 16)
    assert client.get("/account").status_code == 200
    for path in ("/account/app", "/account/passkeys"):
        led = client.get(path, **LOCAL).headers["Location"]
        assert led.startswith("/sign-in?next=/account"), path
        assert "last 15 minutes" in client.get(led).text
    for path in ("/account/app", "/account/app/remove", "/account/passkeys/remove", "/account/recovery-codes"):
        answer = client.post(path, data={"token": token(house, client), "code": "000000"})
        assert answer.headers["Location"].startswith("/sign-in"), path
    assert "set up" in client.get("/account").text


def test_new_recovery_codes_end_the_old(house: House, client: FlaskClient) -> None:
    """Without a factor there is nothing to recover."""
    form = {"token": token(house, client)}
    assert client.post("/account/recovery-codes", data=form).status_code == 409
    _, page = set_up_app(house, client)
    old = re.findall(r"<code>([a-z2-7-]{19})</code>", page)
    new = re.findall(r"<code>([a-z2-7-]{19})</code>", client.post("/account/recovery-codes", data=form).text)
    assert len(new) == 10
    assert not set(old) & set(new)


def test_every_step_has_one_entry(house: House, client: FlaskClient) -> None:
    """Looked at, changed or refused: one each."""
    form = {"token": token(house, client)}
    asked = [
        lambda: client.get("/account"),
        lambda: client.get("/account/set-up"),
        lambda: client.get("/account/password"),
        lambda: client.post("/account/password", data={**form, "old": "x", "password": NEW, "again": NEW}),
        lambda: client.post("/account/password", data={**form, "old": "x", "password": NEW, "again": "y"}),
        lambda: client.get("/account/app"),
        lambda: client.post("/account/app", data={**form, "code": "1"}),
        lambda: client.get("/account/passkeys", **LOCAL),
        lambda: client.post("/account/passkeys", data={**form, "answer": "1"}, **LOCAL),
        lambda: client.post("/account/passkeys/remove", data=form),
        lambda: client.post("/account/app/remove", data=form),
        lambda: client.post("/account/recovery-codes", data=form),
        lambda: client.post("/account/sessions/end", data={**form, "session": "x"}),
        lambda: client.post("/account/sessions/end", data=form),
    ]
    for i, ask in enumerate(asked):
        before = len(house.entries())
        ask()
        assert len(house.entries()) - before == 1, i
