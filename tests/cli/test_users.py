"""`explainer users`."""

from __future__ import annotations

import pytest

from explainer.errors import NotAuthenticated
from tests.cli.conftest import Shell
from tests.house import PASSWORD, House


def test_a_person_with_a_made_password(house: House, shell: Shell) -> None:
    """The password is printed once and opens; it is in no list and not in the ledger."""
    done = shell("users", "add", "anna", "--role", "analyst")
    password = done.out.split("once): ")[1].strip()
    assert house.rooms.access.sign_in("anna", password, "127.0.0.1")
    assert password not in shell("users", "list").out
    assert password not in str(house.entries())


def test_a_person_with_a_given_password(house: House, shell: Shell) -> None:
    """Read from standard input, it is not printed."""
    done = shell("users", "add", "anna", "--role", "application", "--password-stdin", stdin=PASSWORD + "\n")
    assert done.status == 0
    assert PASSWORD not in done.out
    assert house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")


def test_the_list_and_disabling(house: House, shell: Shell) -> None:
    """Who is disabled is listed so and gets in no more."""
    shell("users", "add", "anna", "--role", "application", "--password-stdin", stdin=PASSWORD)
    assert "enabled" in shell("users", "list").out
    assert shell("users", "disable", "anna").status == 0
    assert "disabled" in shell("users", "list").out
    with pytest.raises(NotAuthenticated):
        house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["users", "add", "anna"], 2),
        (["users", "add", "anna", "--role", "king"], 1),
        (["users", "add", "anna", "--role", "local"], 1),
        (["users", "disable", "nobody"], 1),
        (["users", "praise"], 2),
    ],
)
def test_what_cannot_be_done(shell: Shell, words: list[str], status: int) -> None:
    """Wrong usage is 2, a refusal 1, each with a sentence."""
    done = shell(*words)
    assert done.status == status
    assert done.err


def test_a_person_with_a_link(house: House, shell: Shell) -> None:
    """The link leads them to their own password; no password is printed."""
    done = shell("users", "add", "anna", "--role", "analyst", "--model", "credit", "--link")
    link = done.out.split("/invitation/")[1].strip()
    assert "Password" not in done.out
    house.rooms.access.door.accept(link, "", PASSWORD)
    assert house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")
    assert house.rooms.access.people.named("anna").models == ("credit",)
    again = shell("users", "link", "ANNA").out.split("/invitation/")[1].strip()
    house.rooms.access.door.accept(again, "", "another good password")
    assert house.rooms.access.sign_in("anna", "another good password", "127.0.0.1")


def test_another_role_and_lost_factors(house: House, shell: Shell) -> None:
    """Each ends the sessions and is in the ledger."""
    anna = house.rooms.access.people.add("anna", PASSWORD, "application")
    token = house.rooms.access.sign_in("anna", PASSWORD, "127.0.0.1")
    assert shell("users", "role", "anna", "owner", "--model", "credit").status == 0
    changed = house.rooms.access.people.get(anna.id)
    assert (changed.role, changed.models) == ("owner", ("credit",))
    with pytest.raises(NotAuthenticated):
        house.rooms.access.principal_of_session(token)
    house.rooms.access.factors.totp.begin(anna.id)
    house.rooms.access.factors.recovery.renew(anna.id)
    assert shell("users", "forget-factors", "anna").status == 0
    assert house.rooms.access.factors.of(anna.id).codes_left == 0
    assert [e.entry.event for e in house.entries()] == ["cli:user:change", "cli:second-factor:reset"]
