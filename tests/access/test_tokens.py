"""Proves which bearer tokens are good: those that a trusted provider signed for us, for as long as it says."""

from __future__ import annotations

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk

from explainer.access.signing_keys import NOT_MORE_OFTEN_THAN_S
from explainer.access.tokens import Tokens
from explainer.errors import NotAuthenticated, NotPermitted, NotReady
from tests.access.conftest import trusted
from tests.access.identity_provider import AUDIENCE, CLIENT, IdentityProvider, running, text


@pytest.fixture
def tokens(idp: IdentityProvider, tmp_path: Path) -> Tokens:
    return Tokens([trusted(idp, tmp_path)])


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in (header, claims))
    return ".".join([*parts, signature])


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_a_good_token_is_a_principal(tokens: Tokens, idp: IdentityProvider) -> None:
    """Role and models are those of the first grant that the claims fit; the id tells neither issuer nor subject."""
    principal = tokens.principal(idp.token())
    assert (principal.kind, principal.role, principal.models, principal.name) == (
        "key",
        "reviewer",
        ("credit",),
        "anna",
    )
    assert principal.id.startswith("oidc_")
    assert "anna" not in principal.id
    assert tokens.principal(idp.token(groups=["it"])).id == principal.id
    assert tokens.principal(idp.token(sub="bert-2")).id != principal.id


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(
    ("kind", "algorithm"), [("RSA", "RS256"), ("EC", "ES256"), ("OKP", "EdDSA"), ("OKP", "Ed25519")]
)
def test_the_usual_algorithms_are_good(tokens: Tokens, idp: IdentityProvider, kind: str, algorithm: str) -> None:
    """RS256, ES256 and Ed25519 under both of its names, each with a key of its own kind."""
    idp.add_key("two", kind)
    assert tokens.principal(idp.token("two", header={"alg": algorithm})).role == "reviewer"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": ["x"]},
        {"aud": "another-service"},
        {"aud": []},
        {"aud": None},
        {"aud": CLIENT},
        {"exp": 1},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"nbf": 9_999_999_999},
        {"iat": 9_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": ["anna-1"]},
    ],
)
def test_wrong_claims_are_refused(tokens: Tokens, idp: IdentityProvider, changed: dict[str, Any]) -> None:
    """Another issuer or audience, an end that has come or is none, a beginning to come, nobody as the subject."""
    with pytest.raises(NotAuthenticated):
        tokens.principal(idp.token(**changed))


def test_our_name_among_several_audiences_is_enough(tokens: Tokens, idp: IdentityProvider) -> None:
    """As RFC 7519 has it."""
    tokens.principal(idp.token(aud=["another-service", AUDIENCE]))


@pytest.mark.parametrize(("late_s", "good"), [(30, True), (90, False)])
def test_clocks_may_differ_by_a_minute(tokens: Tokens, idp: IdentityProvider, late_s: int, good: bool) -> None:
    """Half a minute after its end a token still opens, a minute and a half after it does not."""
    token = idp.token(exp=int(time.time()) - late_s)
    if good:
        tokens.principal(token)
    else:
        with pytest.raises(NotAuthenticated):
            tokens.principal(token)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, ["RS256"], 7])
def test_a_token_without_a_signature_is_refused(tokens: Tokens, idp: IdentityProvider, algorithm: Any) -> None:
    """However `none` is written."""
    claims = claims_of(idp.token())
    for signature in ("", "AAAA"):
        with pytest.raises(NotAuthenticated):
            tokens.principal(unsigned({"alg": algorithm, "kid": "one"}, claims, signature))


def test_the_public_key_is_no_shared_secret(tokens: Tokens, idp: IdentityProvider) -> None:
    """A token that was made with HMAC and the published key as its secret is refused (RFC 8725, 2.1)."""
    public, claims = idp.keys["one"].as_pem(private=False), claims_of(idp.token())
    for secret in (public, public.strip(), json.dumps(idp.keys["one"].as_dict(private=False)).encode()):
        stated = unsigned({"alg": "HS256", "kid": "one"}, claims)[:-1]
        forged = f"{stated}.{text(hmac.digest(secret, stated.encode(), 'sha256'))}"
        with pytest.raises(NotAuthenticated, match="algorithm"):
            tokens.principal(forged)


def test_a_key_inside_the_token_is_not_looked_at(tokens: Tokens, idp: IdentityProvider) -> None:
    """Neither `jwk`, nor `jku`, nor `x5u`: only published keys count, also where the `kid` is a published one."""
    evil = jwk.generate_key("RSA", 2048, {"kid": "one"})
    for extra in (
        {},
        {"jwk": evil.as_dict(private=False)},
        {"jku": f"{idp.issuer}/evil"},
        {"x5u": f"{idp.issuer}/evil"},
    ):
        with pytest.raises(NotAuthenticated):
            tokens.principal(idp.token(header=extra, key=evil))
    assert "/evil" not in idp.fetched


def test_the_key_of_another_provider_signs_nothing_here(idp: IdentityProvider, tmp_path: Path) -> None:
    """Two trusted providers: neither can sign for the other, whatever `kid` it writes."""
    with running() as other:
        both = Tokens([trusted(idp, tmp_path), trusted(other, tmp_path, name="other", issuer=other.issuer)])
        both.principal(other.token())
        with pytest.raises(NotAuthenticated):
            both.principal(other.token(iss=idp.issuer))


def test_a_key_is_good_for_its_own_kind_of_algorithm(tokens: Tokens, idp: IdentityProvider) -> None:
    """A `kid` that names an EC key under an RSA algorithm finds nothing."""
    idp.add_key("two", "EC")
    with pytest.raises(NotAuthenticated):
        tokens.principal(idp.token(header={"kid": "two"}))


def test_every_changed_character_is_refused(tokens: Tokens, idp: IdentityProvider) -> None:
    """Header, claims and signature: each piece that is changed makes the token worthless."""
    token = idp.token()
    for i in range(0, len(token) - 1, 7):
        changed = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]
        with pytest.raises(NotAuthenticated):
            tokens.principal(changed)


@pytest.mark.parametrize("token", [".", "..", "a.b", "a.b.c", "a.b.c.d", "e30.e30.e30", "ä.ö.ü", ".." + "A" * 20_000])
def test_rubbish_is_refused(tokens: Tokens, token: str) -> None:
    """Whatever has dots in it is refused without another error."""
    with pytest.raises(NotAuthenticated):
        tokens.principal(token)


def test_a_critical_extension_is_refused(tokens: Tokens, idp: IdentityProvider) -> None:
    """What a token says must be understood is not (RFC 7515, 4.1.11)."""
    token = idp.token()
    header = {"alg": "RS256", "kid": "one", "crit": ["exp"], "exp": 1}
    with pytest.raises(NotAuthenticated):
        tokens.principal(unsigned(header, claims_of(token), token.split(".")[2]))


@pytest.mark.parametrize("groups", [None, [], "nothing", ["other"], {"credit-risk": 1}, [7]])
def test_claims_without_a_grant_give_no_role(tokens: Tokens, idp: IdentityProvider, groups: Any) -> None:
    """A good token of somebody without a grant is known and refused."""
    with pytest.raises(NotPermitted, match="no role"):
        tokens.principal(idp.token(groups=groups))


def test_a_provider_without_audiences_takes_no_bearer_tokens(idp: IdentityProvider, tmp_path: Path) -> None:
    """One that is trusted for people's sign-in only."""
    with pytest.raises(NotAuthenticated):
        Tokens([trusted(idp, tmp_path, audiences=())]).principal(idp.token())


class Minutes:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_new_key_is_found_at_most_once_a_minute(tokens: Tokens, idp: IdentityProvider) -> None:
    """Unknown keys make us look, but nobody can make us look again and again; known ones are remembered."""
    minutes = tokens.keys["corporate"]._clock = Minutes()
    tokens.keys["corporate"]._tried_at = tokens.keys["corporate"]._had_at = -1e9
    for _ in range(3):
        tokens.principal(idp.token())
    assert idp.fetched.count("/jwks") == 1
    idp.add_key("two")
    for _ in range(20):
        with pytest.raises(NotAuthenticated, match="does not publish"):
            tokens.principal(idp.token("two"))
    assert idp.fetched.count("/jwks") == 1
    minutes.now += NOT_MORE_OFTEN_THAN_S
    tokens.principal(idp.token("two"))
    assert idp.fetched.count("/jwks") == 2


def test_a_key_that_is_taken_back_is_worth_nothing_within_the_hour(tokens: Tokens, idp: IdentityProvider) -> None:
    """Keys are fetched anew once an hour, so a compromised one ends."""
    minutes = tokens.keys["corporate"]._clock = Minutes()
    tokens.keys["corporate"]._tried_at = tokens.keys["corporate"]._had_at = -1e9
    stolen = idp.keys["one"]
    tokens.principal(idp.token())
    del idp.keys["one"]
    idp.add_key("two")
    minutes.now += 3601
    with pytest.raises(NotAuthenticated):
        tokens.principal(idp.token(key=stolen))


def test_a_provider_that_is_away_does_not_matter_while_its_keys_are_known(
    tokens: Tokens, idp: IdentityProvider
) -> None:
    """Its keys are used on; without any the answer is 503, and once a minute it is tried again."""
    minutes = tokens.keys["corporate"]._clock = Minutes()
    tokens.keys["corporate"]._tried_at = tokens.keys["corporate"]._had_at = -1e9
    idp.answers["/jwks"] = (500, b"")
    with pytest.raises(NotReady):
        tokens.principal(idp.token())
    with pytest.raises(NotReady, match="yet"):
        tokens.principal(idp.token())
    assert idp.fetched.count("/jwks") == 1
    minutes.now += 61
    del idp.answers["/jwks"]
    tokens.principal(idp.token())
    idp.answers["/jwks"] = (500, b"")
    minutes.now += 4000
    tokens.principal(idp.token())
    assert idp.fetched.count("/jwks") == 3
