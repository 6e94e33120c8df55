"""Proves that a challenge is ours, for one purpose, in time, and answered once."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.access.admit import Access
from explainer.access.challenges import GOOD_FOR_S, Challenges
from explainer.errors import NotAuthenticated
from tests.access.conftest import HandClock


@pytest.fixture
def challenges(access: Access) -> Challenges:
    return access.factors.challenges


def test_a_challenge_is_answered_once(challenges: Challenges, tmp_path: Path) -> None:
    """The second answer is refused, in every process; asking again gives another challenge."""
    challenge = challenges.ask("sign-in")
    assert challenge != challenges.ask("sign-in")
    challenges.spend(challenge, "sign-in")
    for elsewhere in (challenges, Challenges(Access(tmp_path / "access.db")._file, clock=challenges._clock)):
        with pytest.raises(NotAuthenticated, match="answered before"):
            elsewhere.spend(challenge, "sign-in")


def test_asking_writes_nothing(access: Access, challenges: Challenges) -> None:
    """Whoever loads the sign-in page a thousand times leaves nothing behind."""
    with access._file.reading() as connection:
        before = connection.execute("PRAGMA data_version").fetchall()
        for _ in range(1000):
            challenges.ask("sign-in")
        assert connection.execute("PRAGMA data_version").fetchall() == before


def test_every_process_knows_a_challenge_of_any(challenges: Challenges, tmp_path: Path) -> None:
    """What one process asked another can check."""
    other = Challenges(Access(tmp_path / "access.db")._file, clock=challenges._clock)
    other.spend(challenges.ask("x"), "x")


def test_it_is_over_after_five_minutes(challenges: Challenges, clock: HandClock) -> None:
    """Until then it is good, from then on it is not."""
    challenge = challenges.ask("x")
    clock.forward(seconds=GOOD_FOR_S - 1)
    challenges.check(challenge, "x")
    clock.forward(seconds=1)
    with pytest.raises(NotAuthenticated):
        challenges.spend(challenge, "x")


def test_no_other_bytes_and_no_other_purpose(challenges: Challenges) -> None:
    """Each changed bit, a piece, and the right challenge for another purpose are refused."""
    challenge = challenges.ask("x")
    changed = [bytes([*challenge[:i], challenge[i] ^ 1, *challenge[i + 1 :]]) for i in range(len(challenge))]
    for wrong in (*changed, challenge[:-1], challenge + b"\0", b""):
        with pytest.raises(NotAuthenticated):
            challenges.spend(wrong, "x")
    with pytest.raises(NotAuthenticated):
        challenges.spend(challenge, "y")
    challenges.spend(challenge, "x")


def test_what_is_spent_is_forgotten_when_it_is_over(access: Access, challenges: Challenges, clock: HandClock) -> None:
    """The table holds the answers of the last five minutes only."""
    for _ in range(5):
        challenges.spend(challenges.ask("x"), "x")
    clock.forward(seconds=GOOD_FOR_S + 1)
    challenges.spend(challenges.ask("x"), "x")
    with access._file.reading() as connection:
        assert connection.execute("SELECT count(*) FROM spent").fetchone()[0] == 1
