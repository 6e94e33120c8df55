"""Proves how passwords are hashed and compared."""

from __future__ import annotations

import logging
import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from explainer.access.passwords import AT_ONCE, Passwords
from explainer.errors import InvalidOption

GOOD = "correct horse battery"


def test_the_right_password_fits_and_no_other(cheap: Passwords) -> None:
    """Only the same characters fit; each hash has its own salt."""
    stored = cheap.hash(GOOD)
    assert cheap.verify(stored, GOOD)
    assert not cheap.verify(stored, GOOD + " ")
    assert not cheap.verify(stored, "")
    assert stored != cheap.hash(GOOD)
    assert GOOD not in stored


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
def test_only_length_is_asked_for(cheap: Passwords, password: str) -> None:
    """Below 12 and above 1,024 characters is refused."""
    with pytest.raises(InvalidOption, match="12 to 1024"):
        cheap.hash(password)


def test_a_password_that_was_taken_before_is_hashed_again(cheap: Passwords) -> None:
    """New rules, or new costs, lock out nobody whose password is old."""
    assert cheap.verify(cheap.hash_again("short"), "short")


@pytest.mark.parametrize(
    "password",
    ["only small letters", "  z \t  q p m\u2003 w k d g", "старый добрый кот", "\ud800k\ud800w" * 3 + "vexing"],
)
def test_no_composition_is_asked_for(cheap: Passwords, password: str) -> None:
    """Any characters will do, spaces and other scripts included."""
    assert cheap.verify(cheap.hash(password), password)


def test_the_same_characters_in_another_form_fit(cheap: Passwords) -> None:
    """A composed and a decomposed accent are one password."""
    assert cheap.verify(cheap.hash("caf\u00e9 au lait!"), "cafe\u0301 au lait!")


def test_nobody_costs_what_somebody_costs_and_never_fits() -> None:
    """For an unknown name a hash of the same parameters is computed, and no password fits it."""
    hasher = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)
    passwords = Passwords(hasher)
    assert extract_parameters(passwords._nobody) == extract_parameters(hasher.hash("x"))
    assert not passwords.verify(None, GOOD)
    assert not passwords.verify(None, "")


def test_a_rubbish_hash_refuses_and_is_logged(cheap: Passwords, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged stored hash lets nobody in, and whoever runs the service can see why."""
    with caplog.at_level(logging.ERROR):
        assert not cheap.verify("$argon2id$rubbish", GOOD)
    assert "cannot be used" in caplog.text


def test_an_overlong_password_is_refused_without_work(cheap: Passwords) -> None:
    """Megabytes sent as a password are not hashed."""
    assert not cheap.verify(cheap.hash(GOOD), "x" * 10_000_000)


def test_hashes_of_other_parameters_are_outdated(cheap: Passwords) -> None:
    """After a change of costs the old hashes are known to need renewal."""
    stored = cheap.hash(GOOD)
    assert not cheap.outdated(stored)
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).outdated(stored)


class CountingHasher(PasswordHasher):
    """Counts how many hash at the same moment."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.inside, self.most, self.lock = 0, 0, threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        threading.Event().wait(0.01)
        with self.lock:
            self.inside -= 1
        return super().verify(hash, password)


def test_few_hash_at_once() -> None:
    """A flood of sign-ins cannot fill the memory: two hashes at a time."""
    hasher = CountingHasher()
    passwords = Passwords(hasher)
    stored = passwords.hash(GOOD)
    threads = [threading.Thread(target=passwords.verify, args=(stored, GOOD)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hasher.most == AT_ONCE
