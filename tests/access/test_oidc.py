"""Proves the sign-in by an identity provider against one that runs here, and against who pretends to be it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from explainer.access.admit import Access, Choices
from explainer.access.oidc import Arrival, Return
from explainer.access.passwords import Passwords
from explainer.errors import NotAuthenticated, NotFound, NotPermitted, NotReady
from explainer.settings import SettingsError
from tests.access.conftest import trusted
from tests.access.identity_provider import CLIENT, IdentityProvider

BACK = "https://explainer.example/sign-in/with/corporate/back"


@pytest.fixture
def house(idp: IdentityProvider, tmp_path: Path, cheap: Passwords) -> Access:
    choices = Choices(providers=(trusted(idp, tmp_path),))
    return Access(tmp_path / "access.db", passwords=cheap, choices=choices)


def brought_back(idp: IdentityProvider, address: str, cookie: str, **changed: Any) -> Return:
    query = {k: v[0] for k, v in parse_qs(urlsplit(idp.authorize(address)).query).items()}
    given = {"state": query["state"], "code": query["code"], "issuer": query["iss"], "cookie": cookie, "address": BACK}
    return Return(**{**given, **changed})


def arrive(house: Access, idp: IdentityProvider, **claims: Any) -> Arrival:
    idp.claims = claims
    journey = house.oidc.begin("corporate", BACK)
    return house.oidc.finish("corporate", brought_back(idp, journey.address, journey.cookie))


def test_somebody_new_is_added_with_the_role_of_the_claims(house: Access, idp: IdentityProvider) -> None:
    """At the second sign-in it is the same person; no password of theirs is kept."""
    first = arrive(house, idp)
    assert (first.person.name, first.person.role, first.person.models) == ("anna", "reviewer", ("credit",))
    assert arrive(house, idp) == first
    with pytest.raises(NotAuthenticated):
        house.people.check("anna", "", "a")
    assert len(house.people.all()) == 1


def test_changed_claims_change_the_role(house: Access, idp: IdentityProvider) -> None:
    """What the provider says at each sign-in holds; without a grant nobody gets in."""
    before = arrive(house, idp)
    after = arrive(house, idp, groups=["it"])
    assert (after.person.id, after.person.role, after.changed) == (before.person.id, "administrator", True)
    with pytest.raises(NotPermitted):
        arrive(house, idp, groups=["none"])


@pytest.mark.parametrize(("amr", "proven"), [(["pwd", "mfa"], True), (["pwd"], False), (None, False), ("mfa", False)])
def test_the_provider_says_whether_there_was_a_second_factor(
    house: Access, idp: IdentityProvider, amr: Any, proven: bool
) -> None:
    """Only a list of methods with `mfa` in it counts (RFC 8176); else it is asked for here."""
    assert arrive(house, idp, amr=amr).proven is proven


def test_a_name_leads_into_nobody_elses_account(house: Access, idp: IdentityProvider) -> None:
    """The provider's `anna` is not ours: only the subject counts."""
    ours = house.people.add("anna", "correct horse battery", "owner")
    theirs = arrive(house, idp).person
    assert theirs.id != ours.id
    assert theirs.name.startswith("anna (")
    assert arrive(house, idp, sub="another").person.id not in {ours.id, theirs.id}


def test_a_disabled_person_stays_out(house: Access, idp: IdentityProvider) -> None:
    """Whatever the provider says."""
    house.disable(arrive(house, idp).person.id)
    with pytest.raises(NotAuthenticated, match="disabled"):
        arrive(house, idp)


def test_an_answer_is_good_once(house: Access, idp: IdentityProvider) -> None:
    """The same way back a second time leads nowhere."""
    journey = house.oidc.begin("corporate", BACK)
    back = brought_back(idp, journey.address, journey.cookie)
    house.oidc.finish("corporate", back)
    with pytest.raises(NotAuthenticated, match="answered before"):
        house.oidc.finish("corporate", back)


def test_another_browser_cannot_end_the_journey(house: Access, idp: IdentityProvider) -> None:
    """Somebody else's code and state, planted in a browser, sign nobody in (RFC 9700, 4.7)."""
    evil, victim = house.oidc.begin("corporate", BACK), house.oidc.begin("corporate", BACK)
    for cookie in (victim.cookie, "", "x"):
        with pytest.raises(NotAuthenticated):
            house.oidc.finish("corporate", brought_back(idp, evil.address, cookie))
    assert "/token" not in idp.fetched


@pytest.mark.parametrize("state", ["", "AAAA", "!!!", "ä"])
def test_a_state_of_our_own_is_needed(house: Access, idp: IdentityProvider, state: str) -> None:
    """No state, or one that we did not make."""
    journey = house.oidc.begin("corporate", BACK)
    with pytest.raises(NotAuthenticated):
        house.oidc.finish("corporate", brought_back(idp, journey.address, journey.cookie, state=state))


def test_a_code_of_another_journey_is_refused_by_its_verifier(house: Access, idp: IdentityProvider) -> None:
    """A stolen code is worth nothing without the browser that it was made for (PKCE)."""
    stolen, mine = house.oidc.begin("corporate", BACK), house.oidc.begin("corporate", BACK)
    code = brought_back(idp, stolen.address, stolen.cookie).code
    with pytest.raises(NotAuthenticated, match="did not accept"):
        house.oidc.finish("corporate", brought_back(idp, mine.address, mine.cookie, code=code))


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-service"},
        {"aud": "explainer"},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"sub": None},
    ],
)
def test_tokens_that_were_made_for_something_else_are_refused(
    house: Access, idp: IdentityProvider, claims: dict[str, Any]
) -> None:
    """Another nonce, audience, party or issuer, one that is over, one of nobody."""
    with pytest.raises(NotAuthenticated):
        arrive(house, idp, **claims)
    assert house.people.all() == []


def test_an_answer_of_another_provider_is_refused(house: Access, idp: IdentityProvider) -> None:
    """The issuer that comes along must be the one that was asked (RFC 9207)."""
    journey = house.oidc.begin("corporate", BACK)
    with pytest.raises(NotAuthenticated, match="another identity provider"):
        house.oidc.finish(
            "corporate", brought_back(idp, journey.address, journey.cookie, issuer="https://evil.example")
        )


def test_a_refusal_of_the_provider_is_one_here(house: Access, idp: IdentityProvider) -> None:
    """The person cancelled there: no code comes back."""
    journey = house.oidc.begin("corporate", BACK)
    with pytest.raises(NotAuthenticated, match="did not sign you in"):
        house.oidc.finish("corporate", brought_back(idp, journey.address, journey.cookie, code=""))


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("/token", (200, b"{}"), NotAuthenticated),
        ("/token", (200, b'{"id_token": 7}'), NotAuthenticated),
        ("/token", (500, b""), NotReady),
        ("/jwks", (500, b""), NotReady),
        ("/.well-known/openid-configuration", (200, b'{"issuer": "https://evil.example"}'), NotReady),
        ("/.well-known/openid-configuration", (200, b"{}"), NotReady),
    ],
)
def test_a_broken_provider_signs_nobody_in(
    house: Access, idp: IdentityProvider, path: str, answer: tuple[int, bytes], error: type[Exception]
) -> None:
    """Each failure is said; nobody is added."""
    idp.answers[path] = answer
    with pytest.raises(error):
        arrive(house, idp)
    assert house.people.all() == []


def test_only_providers_for_people_are_offered(idp: IdentityProvider, tmp_path: Path) -> None:
    """One without a client is for programs; unknown names lead nowhere."""
    access = Access(tmp_path / "access.db", choices=Choices(providers=(trusted(idp, tmp_path, client_id=None),)))
    assert access.oidc.names() == []
    for name in ("corporate", "nobody"):
        with pytest.raises(NotFound):
            access.oidc.begin(name, BACK)


def test_a_client_secret_that_cannot_be_read_is_named(idp: IdentityProvider, tmp_path: Path, cheap: Passwords) -> None:
    """The message names the file, and says nothing of what is in it."""
    provider = trusted(idp, tmp_path, client_secret_file=tmp_path / "absent")
    access = Access(tmp_path / "access.db", passwords=cheap, choices=Choices(providers=(provider,)))
    with pytest.raises(SettingsError, match="absent"):
        arrive(access, idp)
