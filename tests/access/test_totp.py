"""Proves the one-time codes of an authenticator app."""

from __future__ import annotations

import base64
from pathlib import Path

import pyotp
import pytest

from explainer.access.admit import Access
from explainer.access.totp import Totp, address_for_app
from explainer.errors import Conflict, KeyMissing, NotFound
from explainer.sealing import Envelope, MasterKeys
from tests.access.conftest import HandClock

PERSON = "usr_1"


@pytest.fixture
def totp(access: Access) -> Totp:
    return access.factors.totp


def code(secret: str, clock: HandClock, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(clock.now.timestamp()) + 30 * steps)


def set_up(totp: Totp, clock: HandClock) -> str:
    secret = totp.begin(PERSON)
    assert totp.confirm(PERSON, code(secret, clock))
    clock.forward(seconds=90)
    return secret


def test_the_codes_are_those_of_rfc_6238(access: Access, clock: HandClock) -> None:
    """The secret of the RFC's appendix B, at its first time, gives its code (the last six digits of it)."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert pyotp.TOTP(secret).at(59) == "287082"


def test_it_counts_once_it_is_confirmed(totp: Totp, clock: HandClock) -> None:
    """Before a code of the app was given it opens nothing; the same secret is shown until then."""
    secret = totp.begin(PERSON)
    assert totp.begin(PERSON) == secret
    assert not totp.has(PERSON)
    assert not totp.check(PERSON, code(secret, clock))
    assert not totp.confirm(PERSON, "000000")
    assert totp.confirm(PERSON, code(secret, clock))
    assert totp.has(PERSON)
    with pytest.raises(Conflict):
        totp.begin(PERSON)


def test_a_code_is_good_once(totp: Totp, clock: HandClock) -> None:
    """Whoever looked over the shoulder has nothing of it, not even for the code that confirmed."""
    secret = totp.begin(PERSON)
    first = code(secret, clock)
    assert totp.confirm(PERSON, first)
    assert not totp.check(PERSON, first)
    clock.forward(seconds=30)
    assert totp.check(PERSON, code(secret, clock))
    assert not totp.check(PERSON, code(secret, clock))


def test_an_older_code_is_not_good_after_a_newer(totp: Totp, clock: HandClock) -> None:
    """The step counts, so a code of before cannot come after."""
    secret = set_up(totp, clock)
    assert totp.check(PERSON, code(secret, clock, 1))
    assert not totp.check(PERSON, code(secret, clock))


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(totp: Totp, clock: HandClock, steps: int, good: bool) -> None:
    """The window is the present step and its neighbours."""
    secret = set_up(totp, clock)
    assert totp.check(PERSON, code(secret, clock, steps)) is good


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\ud800", "0" * 10_000])
def test_nothing_else_is_a_code(totp: Totp, clock: HandClock, typed: str) -> None:
    """Whatever is typed is refused without an error."""
    set_up(totp, clock)
    assert not totp.check(PERSON, typed)


def test_a_code_may_be_typed_with_spaces(totp: Totp, clock: HandClock) -> None:
    """As apps show it."""
    secret = set_up(totp, clock)
    plain = code(secret, clock)
    assert totp.check(PERSON, f" {plain[:3]} {plain[3:]}\n")


def test_each_person_has_their_own(totp: Totp, clock: HandClock) -> None:
    """A code of one person opens nothing of another."""
    secret = set_up(totp, clock)
    other = totp.begin("usr_2")
    assert totp.confirm("usr_2", code(other, clock))
    clock.forward(seconds=90)
    assert not totp.check("usr_2", code(secret, clock))


def test_it_can_be_removed_and_set_up_anew(totp: Totp, clock: HandClock) -> None:
    """Afterwards there is another secret."""
    secret = set_up(totp, clock)
    totp.remove(PERSON)
    assert not totp.has(PERSON)
    assert not totp.check(PERSON, code(secret, clock))
    assert totp.begin(PERSON) != secret
    with pytest.raises(NotFound):
        totp.remove("usr_2")


def test_the_app_is_given_a_standard_address(totp: Totp) -> None:
    """Scanned from the QR code, it names the service and the person."""
    secret = totp.begin(PERSON)
    address = address_for_app(secret, "Anna Müller")
    assert address == f"otpauth://totp/explainer:Anna%20M%C3%BCller?secret={secret}&issuer=explainer"


def test_with_a_master_key_the_secret_is_not_on_the_disk(access: Access, clock: HandClock, tmp_path: Path) -> None:
    """Sealed for this person alone: moved to another person's row it does not open, nor without the key."""
    masters = MasterKeys([b"k" * 32])
    sealed = Totp(access._file, Envelope(masters, "access"), clock=clock)
    secret = sealed.begin(PERSON)
    assert secret.encode() not in b"".join(part.read_bytes() for part in tmp_path.iterdir())
    again = Totp(access._file, Envelope(masters, "access"), clock=clock)
    assert again.confirm(PERSON, code(secret, clock))
    with pytest.raises(KeyMissing):
        Totp(access._file, clock=clock).check(PERSON, "123456")


def test_a_secret_from_before_the_master_key_still_opens(access: Access, totp: Totp, clock: HandClock) -> None:
    """Giving the service a master key locks nobody out, and with the next code the secret is sealed by it."""
    secret = set_up(totp, clock)
    later = Totp(access._file, Envelope(MasterKeys([b"k" * 32]), "access"), clock=clock)
    assert later.check(PERSON, code(secret, clock))
    clock.forward(seconds=60)
    with pytest.raises(KeyMissing):
        totp.check(PERSON, code(secret, clock))


def test_an_exchanged_master_key_takes_over_with_the_next_code(access: Access, clock: HandClock) -> None:
    """Once everybody has signed in with both keys given, the old one can be taken away."""
    old, new = b"o" * 32, b"n" * 32
    given = [Envelope(MasterKeys(keys), "access") for keys in ([old], [new, old], [new])]
    first, both, last = (Totp(access._file, seal, clock=clock) for seal in given)
    secret = set_up(first, clock)
    with pytest.raises(KeyMissing):
        last.check(PERSON, code(secret, clock))
    assert both.check(PERSON, code(secret, clock))
    clock.forward(seconds=60)
    assert last.check(PERSON, code(secret, clock))
