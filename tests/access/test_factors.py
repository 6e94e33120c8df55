"""Proves that guessing codes gets slow without locking their owner out for good, and what a person has."""

from __future__ import annotations

import pyotp
import pytest

from explainer.access.admit import Access
from explainer.access.factors import FREE_ANYWHERE, Factors
from explainer.errors import NotAuthenticated
from tests.access.conftest import HandClock

PERSON = "usr_1"


@pytest.fixture
def factors(access: Access) -> Factors:
    return access.factors


@pytest.fixture
def secret(factors: Factors, clock: HandClock) -> str:
    made = factors.totp.begin(PERSON)
    assert factors.totp.confirm(PERSON, pyotp.TOTP(made).at(int(clock.now.timestamp())))
    clock.forward(seconds=90)
    return made


def now(secret: str, clock: HandClock) -> str:
    return pyotp.TOTP(secret).at(int(clock.now.timestamp()))


def wrong(factors: Factors, address: str) -> str:
    with pytest.raises(NotAuthenticated) as caught:
        factors.spend_code(PERSON, "000000", address)
    return caught.value.detail


def test_either_kind_of_code_opens(factors: Factors, secret: str, clock: HandClock) -> None:
    """It is said which it was."""
    codes = factors.recovery.renew(PERSON)
    assert factors.spend_code(PERSON, now(secret, clock), "a") == "totp"
    assert factors.spend_code(PERSON, codes[0], "a") == "recovery"
    for used in (now(secret, clock), codes[0]):
        with pytest.raises(NotAuthenticated, match="used before"):
            factors.spend_code(PERSON, used, "a")


def test_guessing_gets_slow_and_success_forgets_it(factors: Factors, secret: str, clock: HandClock) -> None:
    """After five wrong codes from one address even the right one waits there; from elsewhere it opens at once."""
    for _ in range(5):
        wrong(factors, "evil")
    with pytest.raises(NotAuthenticated, match="try again in"):
        factors.spend_code(PERSON, now(secret, clock), "evil")
    assert factors.spend_code(PERSON, now(secret, clock), "home") == "totp"


def test_many_addresses_do_not_help_a_guesser(factors: Factors, secret: str, clock: HandClock) -> None:
    """All together get twenty guesses, then they wait; a recovery code and a passkey stay good meanwhile."""
    codes = factors.recovery.renew(PERSON)
    answers = [wrong(factors, f"10.0.{i // 5}.1") for i in range(FREE_ANYWHERE + 5)]
    assert sum("try again in" in answer for answer in answers) == 5
    assert factors.spend_code(PERSON, codes[0], "home") == "recovery"
    assert factors.spend_code(PERSON, now(secret, clock), "home") == "totp"


def test_the_wait_never_exceeds_a_minute(factors: Factors, secret: str, clock: HandClock) -> None:
    """However long somebody guesses, the owner waits a minute at most."""
    for _ in range(40):
        wrong(factors, "evil")
        clock.forward(seconds=30)
    clock.forward(seconds=60)
    assert factors.spend_code(PERSON, now(secret, clock), "home") == "totp"


def test_what_a_person_has(factors: Factors, secret: str) -> None:
    """Nothing, then an app, then nothing again once it is all forgotten."""
    assert not factors.of("usr_2").any
    factors.recovery.renew(PERSON)
    had = factors.of(PERSON)
    assert (had.any, had.totp, had.passkeys, had.codes_left) == (True, True, (), 10)
    factors.forget(PERSON)
    had = factors.of(PERSON)
    assert (had.any, had.codes_left) == (False, 0)


def test_recovery_codes_alone_are_no_factor(factors: Factors) -> None:
    """They help back, they are not what one signs in with."""
    factors.recovery.renew(PERSON)
    assert not factors.of(PERSON).any
