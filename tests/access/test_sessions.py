"""Proves when sessions begin and end, and that their tokens are nowhere on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.access.admit import Access
from explainer.access.sessions import Origin, csrf_token
from explainer.errors import NotAuthenticated, NotFound
from tests.access.conftest import HandClock


def test_a_token_finds_its_session_and_is_not_on_disk(access: Access, tmp_path: Path) -> None:
    """The cookie's token opens; what is stored does not contain it, and the shown id does not open."""
    token, session = access.sessions.start("usr_1", "10.0.0.1")
    assert access.sessions.find(token) == session
    assert access.sessions.find(session.id) is None
    assert len(token) == 43
    assert token.encode() not in b"".join(part.read_bytes() for part in tmp_path.iterdir())


@pytest.mark.parametrize("token", ["", "x", "\ud800", "x" * 100_000])
def test_no_other_token_opens(access: Access, token: str) -> None:
    """Whatever a cookie holds, it is refused without an error."""
    access.sessions.start("usr_1", "a")
    assert access.sessions.find(token) is None


def test_an_idle_session_ends(access: Access, clock: HandClock) -> None:
    """An hour without use ends it; use in between keeps it."""
    token, _ = access.sessions.start("usr_1", "a")
    for _ in range(3):
        clock.forward(minutes=59)
        assert access.sessions.find(token) is not None
    clock.forward(minutes=60)
    assert access.sessions.find(token) is None


def test_a_busy_session_ends_too(access: Access, clock: HandClock) -> None:
    """However much it is used, after 12 hours it is over."""
    token, _ = access.sessions.start("usr_1", "a")
    for _ in range(23):
        clock.forward(minutes=30)
        assert access.sessions.find(token) is not None
    clock.forward(minutes=30)
    assert access.sessions.find(token) is None


def test_a_new_session_takes_the_place_of_the_old(access: Access) -> None:
    """At sign-in the token changes: one that was planted or stolen before is worth nothing."""
    old, _ = access.sessions.start("usr_1", "a")
    new, _ = access.sessions.start("usr_1", "a", instead_of=old)
    assert access.sessions.find(old) is None
    assert access.sessions.find(new) is not None


def test_sessions_are_listed_and_ended_by_their_own_person_only(access: Access, clock: HandClock) -> None:
    """Another person's session cannot be ended, nor seen to exist."""
    first_token, first = access.sessions.start("usr_1", "a")
    clock.forward(seconds=1)
    _, second = access.sessions.start("usr_1", "b")
    _, foreign = access.sessions.start("usr_2", "c")
    assert [s.id for s in access.sessions.of("usr_1")] == [second.id, first.id]
    with pytest.raises(NotFound):
        access.sessions.end(foreign.id, "usr_1")
    access.sessions.end(first.id, "usr_1")
    assert access.sessions.find(first_token) is None
    assert access.sessions.end_all("usr_1") == 1
    assert [s.id for s in access.sessions.of("usr_2")] == [foreign.id]


def test_ended_sessions_are_swept_out(access: Access, clock: HandClock) -> None:
    """The table does not grow with sessions that are over."""
    for _ in range(5):
        access.sessions.start("usr_1", "a")
    clock.forward(hours=2)
    access.sessions.start("usr_1", "a")
    with access._file.reading() as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone()[0] == 1


def test_form_tokens_belong_to_one_session(access: Access) -> None:
    """The form token is the session's own, fits no other, and is not the session's token."""
    one, two = access.sessions.start("usr_1", "a")[0], access.sessions.start("usr_1", "a")[0]
    assert csrf_token(one) == csrf_token(one) != csrf_token(two)
    assert access.csrf_fits(one, access.csrf_token(one))
    for wrong in (access.csrf_token(two), "", one, "\ud800"):
        assert not access.csrf_fits(one, wrong)


def test_a_half_session_is_short_and_becomes_a_full_one(access: Access, clock: HandClock) -> None:
    """It waits a quarter of an hour for the second factor; then the token and the id change, and it lives on."""
    token, half = access.sessions.start("usr_1", Origin("a", "Firefox on Linux"), stage="prove")
    new, full = access.sessions.promote(token)
    assert (half.stage, full.stage, full.device) == ("prove", "full", "Firefox on Linux")
    assert full.id != half.id
    assert access.sessions.find(token) is None
    clock.forward(minutes=16)
    assert access.sessions.find(new) is not None
    late, _ = access.sessions.start("usr_1", "a", stage="set-up")
    clock.forward(minutes=15)
    assert access.sessions.find(late) is None
    for over in (token, late, "nonsense"):
        with pytest.raises(NotAuthenticated):
            access.sessions.promote(over)


def test_all_others_can_be_ended(access: Access) -> None:
    """The session that asks stays."""
    token, here = access.sessions.start("usr_1", "a")
    for _ in range(2):
        access.sessions.start("usr_1", "b")
    assert access.sessions.end_all("usr_1", but=here.id) == 2
    assert access.sessions.find(token) is not None


def test_a_session_that_is_used_in_one_process_lives_in_all(access: Access, clock: HandClock) -> None:
    """A process that saw it an hour ago asks the file before it calls it idle."""
    token, _ = access.sessions.start("usr_1", "a")
    other = Access(access._file.path, clock=clock)
    assert other.sessions.find(token) is not None
    for _ in range(3):
        clock.forward(minutes=40)
        assert access.sessions.find(token) is not None
    assert other.sessions.find(token) is not None
