"""Proves that a key is shown once, known by its digest, and ends when it should."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explainer.access.admit import Access
from explainer.errors import InvalidOption, NotFound
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
