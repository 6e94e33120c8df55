"""`explainer keys`."""

from __future__ import annotations

import pytest

from explainer.access.permissions import Permission
from explainer.errors import NotAuthenticated
from tests.cli.conftest import Shell
from tests.house import House


def test_a_key_is_printed_alone(house: House, shell: Shell) -> None:
    """Nothing but the key is on standard output, so that a script can take it; it opens as the role says."""
    done = shell("keys", "add", "script", "--role", "analyst", "--model", "credit", "--model", "other")
    principal = house.rooms.access.principal_of_bearer(done.out.strip())
    assert (principal.role, principal.models) == ("analyst", ("credit", "other"))


def test_the_list_and_revoking(house: House, shell: Shell) -> None:
    """A listed key shows no secret; a revoked one is listed so and opens nothing."""
    text = shell("keys", "add", "script").out.strip()
    (_, key_id, secret) = text.split("_", 2)
    listed = shell("keys", "list").out
    assert key_id in listed
    assert secret not in listed
    assert shell("keys", "revoke", key_id).status == 0
    assert "revoked" in shell("keys", "list").out
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_bearer(text)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["keys", "add"], 2),
        (["keys", "add", "x", "--days", "0"], 2),
        (["keys", "add", "x", "--role", "king"], 1),
        (["keys", "revoke", "aaaaaaaa"], 1),
    ],
)
def test_what_cannot_be_done(shell: Shell, words: list[str], status: int) -> None:
    """Wrong usage is 2, a refusal 1."""
    assert shell(*words).status == status


def test_a_key_with_a_part_of_its_role(house: House, shell: Shell) -> None:
    """It may do what its scopes say, and nothing else that the role has."""
    done = shell("keys", "add", "script", "--role", "analyst", "--scope", "models:card:read")
    principal = house.rooms.access.principal_of_bearer(done.out.strip())
    assert house.rooms.access.may(principal, Permission.CARD_READ)
    assert not house.rooms.access.may(principal, Permission.EXPLANATION_CREATE)
    assert shell("keys", "add", "script", "--scope", "access:key:manage").status == 1


def test_rotating(house: House, shell: Shell) -> None:
    """The new key alone is on standard output; both open for the overlap, and the list says when the old one ends."""
    old = shell("keys", "add", "script").out.strip()
    done = shell("keys", "rotate", old.split("_")[1], "--overlap-hours", "2")
    new = done.out.strip()
    assert "takes the place of" in done.err
    access = house.rooms.access
    assert access.principal_of_bearer(old) == access.principal_of_bearer(new)
    assert new.split("_")[1] in shell("keys", "list").out
    assert shell("keys", "rotate", old.split("_")[1]).status == 1
    assert shell("keys", "rotate", "aaaaaaaa").status == 1
    assert shell("keys", "rotate", new.split("_")[1], "--overlap-hours", "721").status == 2
