"""Proves that a key is shown once, known by its digest, and ends when it should."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explainer.access.admit import Access
from explainer.errors import Conflict, InvalidOption, NotFound
from tests.access.conftest import HandClock


def test_an_issued_key_opens_and_its_secret_is_nowhere_on_disk(access: Access, tmp_path: Path) -> None:
    """The full text has the promised form, finds its record, and cannot be read from the files."""
    token, key = access.keys.issue("batch job", "application", models=["credit-gbm"], created_by="usr_1")
    assert re.fullmatch(r"xk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", token)
    found = access.keys.holder(token)
    assert found is not None
    assert (found.id, found.name, found.role, found.models) == (key.id, "batch job", "application", ("credit-gbm",))
    stored = b"".join(part.read_bytes() for part in tmp_path.iterdir())
    assert token[-43:].encode() not in stored
    assert key.id.encode() in stored


def test_every_changed_character_is_refused(access: Access) -> None:
    """No text that differs from the key in one place opens."""
    token, _ = access.keys.issue("k", "analyst")
    for i, letter in enumerate(token):
        changed = token[:i] + ("a" if letter != "a" else "b") + token[i + 1 :]
        assert access.keys.holder(changed) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"\Axk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}\Z"))
def test_no_other_text_opens(access: Access, token: str) -> None:
    """Whatever is sent, well-formed or not, is refused without an error."""
    assert access.keys.holder(token) is None


def test_a_secret_opens_only_with_its_own_id(access: Access) -> None:
    """The secret of one key under the id of another is refused."""
    first, second = access.keys.issue("a", "analyst")[0], access.keys.issue("b", "owner")[0]
    assert access.keys.holder(second[:12] + first[12:]) is None


def test_a_key_expires(access: Access, clock: HandClock) -> None:
    """Until its time it opens, from then on it does not."""
    token, _ = access.keys.issue("k", "analyst", expires_at=clock.now + timedelta(hours=1))
    clock.forward(minutes=59, seconds=59)
    assert access.keys.holder(token) is not None
    clock.forward(seconds=1)
    assert access.keys.holder(token) is None


def test_a_revoked_key_stays_revoked(access: Access, clock: HandClock) -> None:
    """Revoking ends the key at once, and again changes nothing."""
    token, key = access.keys.issue("k", "analyst")
    first = access.keys.revoke(key.id).revoked_at
    clock.forward(hours=1)
    assert access.keys.revoke(key.id).revoked_at == first
    assert access.keys.holder(token) is None
    with pytest.raises(NotFound):
        access.keys.revoke("nobody")


def test_last_use_is_noted_once_a_minute(access: Access, clock: HandClock) -> None:
    """The list shows when a key was last used, to the minute."""
    token, _ = access.keys.issue("k", "analyst")
    access.keys.holder(token)
    first = access.keys.all()[0].last_used_at
    clock.forward(seconds=30)
    access.keys.holder(token)
    assert access.keys.all()[0].last_used_at == first
    clock.forward(seconds=31)
    access.keys.holder(token)
    assert access.keys.all()[0].last_used_at != first


def test_bad_keys_are_not_issued(access: Access, clock: HandClock) -> None:
    """No name, an unknown role, or a time that has passed: refused, nothing kept."""
    for name, role, expires in (
        ("", "analyst", None),
        ("k", "root", None),
        ("k", "local", None),
        ("k", "analyst", clock.now),
    ):
        with pytest.raises(InvalidOption):
            access.keys.issue(name, role, expires_at=expires)
    assert access.keys.all() == []


def test_a_rotated_key_overlaps_with_its_successor(access: Access, clock: HandClock) -> None:
    """Both open for the overlap, as the same principal with the same rights; then only the new one does."""
    old, key = access.keys.issue(
        "batch", "analyst", models=["credit"], scopes=["models:card:read"], expires_at=clock.now + timedelta(days=90)
    )
    clock.forward(days=80)
    new, successor = access.keys.rotate(key.id, overlap=timedelta(hours=24), created_by="usr_1")
    assert old != new
    assert access.principal_of_bearer(old) == access.principal_of_bearer(new)
    assert (successor.program, successor.replaces, successor.created_by) == (key.id, key.id, "usr_1")
    assert successor.expires_at == (clock.now + timedelta(days=90)).isoformat(timespec="microseconds")
    clock.forward(hours=24)
    assert access.keys.holder(old) is None
    assert access.keys.holder(new) is not None
    _, third = access.keys.rotate(successor.id, overlap=timedelta(0))
    assert third.program == key.id
    assert access.keys.holder(new) is None


def test_an_overlap_never_prolongs_a_key(access: Access, clock: HandClock) -> None:
    """A key that ends in an hour ends in an hour."""
    old, key = access.keys.issue("k", "analyst", expires_at=clock.now + timedelta(hours=1))
    access.keys.rotate(key.id, overlap=timedelta(days=30))
    clock.forward(hours=1)
    assert access.keys.holder(old) is None


def test_what_cannot_be_rotated(access: Access, clock: HandClock) -> None:
    """Unknown, revoked, ended and rotated keys, and overlaps below nothing or above thirty days."""
    _, key = access.keys.issue("k", "analyst")
    for overlap in (timedelta(seconds=-1), timedelta(days=31)):
        with pytest.raises(InvalidOption):
            access.keys.rotate(key.id, overlap=overlap)
    access.keys.rotate(key.id, overlap=timedelta(hours=1))
    with pytest.raises(Conflict, match="rotated before"):
        access.keys.rotate(key.id, overlap=timedelta(hours=1))
    _, revoked = access.keys.issue("k", "analyst")
    access.keys.revoke(revoked.id)
    with pytest.raises(Conflict, match="ended"):
        access.keys.rotate(revoked.id, overlap=timedelta(hours=1))
    with pytest.raises(NotFound):
        access.keys.rotate("aaaaaaaa", overlap=timedelta(hours=1))


@pytest.mark.parametrize("scopes", [[], ["access:key:manage"], ["everything"], ["models:card:read", "local"]])
def test_scopes_are_a_part_of_the_role(access: Access, scopes: list[str]) -> None:
    """No scope at all, or one that the role does not have, is refused and named."""
    with pytest.raises(InvalidOption, match="scopes: name one or more permissions of role analyst"):
        access.keys.issue("k", "analyst", scopes=scopes)
    assert access.keys.all() == []


def test_another_process_notes_the_use_only_once(access: Access, clock: HandClock) -> None:
    """Within the same minute the second process finds that the use was noted, and writes nothing."""
    token, _ = access.keys.issue("k", "analyst")
    other = Access(access._file.path, clock=clock)
    other.keys.holder(token)
    clock.forward(minutes=2)
    access.keys.holder(token)
    with access._file.reading() as connection:
        before = connection.execute("PRAGMA data_version").fetchall()
        assert other.keys.holder(token) is not None
        assert connection.execute("PRAGMA data_version").fetchall() == before
