"""Proves that a one-time link is good once, for a day, and for what it was made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.access.admit import Access
from explainer.errors import NotFound
from tests.access.conftest import HandClock


def spend(access: Access, token: str) -> None:
    access._file.write(lambda connection: access.invitations.spend_in(connection, token))


def test_a_link_is_good_once(access: Access, tmp_path: Path) -> None:
    """Looking does not use it up, using does; it is nowhere on the disk."""
    token = access.invitations.make("choose-password", "usr_1")
    assert access.invitations.look(token).person == "usr_1"
    assert token.encode() not in b"".join(part.read_bytes() for part in tmp_path.iterdir())
    spend(access, token)
    for use in (access.invitations.look, lambda t: spend(access, t)):
        with pytest.raises(NotFound):
            use(token)


def test_it_is_over_after_a_day(access: Access, clock: HandClock) -> None:
    """A minute before it is good, then it is not."""
    token = access.invitations.make("first-administrator")
    clock.forward(hours=23, minutes=59)
    access.invitations.look(token)
    clock.forward(minutes=1)
    with pytest.raises(NotFound, match="too old"):
        access.invitations.look(token)


def test_a_new_link_ends_the_old_one_for_the_same(access: Access) -> None:
    """For a person, and for the first administrator; others stay."""
    old, other = (
        access.invitations.make("choose-password", "usr_1"),
        access.invitations.make("choose-password", "usr_2"),
    )
    first = access.invitations.make("first-administrator")
    access.invitations.make("choose-password", "usr_1")
    access.invitations.make("first-administrator")
    access.invitations.look(other)
    for ended in (old, first):
        with pytest.raises(NotFound):
            access.invitations.look(ended)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "x" * 100_000])
def test_nothing_else_is_a_link(access: Access, token: str) -> None:
    """Whatever stands in the address is refused without another error."""
    access.invitations.make("choose-password", "usr_1")
    with pytest.raises(NotFound):
        access.invitations.look(token)
