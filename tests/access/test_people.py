"""Proves how people are added, known again and kept out."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters

from explainer.access.admit import Access
from explainer.access.passwords import Passwords
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound

GOOD = "correct horse battery"


def refusal(access: Access, name: str, password: str, address: str = "10.0.0.1") -> str:
    with pytest.raises(NotAuthenticated) as caught:
        access.people.check(name, password, address)
    return caught.value.detail


def test_a_person_is_known_by_name_and_password(access: Access) -> None:
    """The right pair gives the person, and the name is found in any case and Unicode form."""
    anna = access.people.add("Anna Müller", GOOD, "analyst", models=["credit-gbm"])
    for name in ("Anna Müller", " anna MÜLLER ", "Anna Mu\u0308ller"):
        assert access.people.check(name, GOOD, "10.0.0.1") == anna
    assert access.people.named("ANNA MÜLLER") == access.people.get(anna.id) == anna


def test_wrong_unknown_and_disabled_sound_alike(access: Access) -> None:
    """The refusal does not tell whether a name exists, or that it was disabled."""
    anna = access.people.add("anna", GOOD, "analyst")
    bert = access.people.add("bert", GOOD, "analyst")
    access.people.set_disabled(bert.id, True)
    answers = {
        refusal(access, "anna", "wrong password"),
        refusal(access, "nobody", GOOD),
        refusal(access, "bert", GOOD),
    }
    assert len(answers) == 1
    assert access.people.check("anna", GOOD, "10.0.0.1") == anna


def test_names_are_taken_once(access: Access) -> None:
    """Two people cannot have names that look the same to the service."""
    access.people.add("anna", GOOD, "analyst")
    for twin in ("anna", "ANNA", "ａｎｎａ", " anna"):
        with pytest.raises(Conflict):
            access.people.add(twin, GOOD, "owner")
    assert len(access.people.all()) == 1


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [
        ("", GOOD, "analyst"),
        ("  ", GOOD, "analyst"),
        ("a\nb", GOOD, "analyst"),
        ("x" * 201, GOOD, "analyst"),
        ("\ud800", GOOD, "analyst"),
        ("a", "short", "analyst"),
        ("a", GOOD, "root"),
        ("a", GOOD, "local"),
    ],
)
def test_bad_people_are_not_added(access: Access, name: str, password: str, role: str) -> None:
    """A bad name, password or role is refused, and nothing is kept."""
    with pytest.raises(InvalidOption):
        access.people.add(name, password, role)
    assert access.people.all() == []


@pytest.mark.parametrize("name", ["", "\x00", "\ud800", "x" * 100_000, "' OR 1=1 --"])
def test_odd_names_at_the_door_are_refused_like_any_other(access: Access, name: str) -> None:
    """Nothing that is typed as a name causes more than a refusal."""
    assert refusal(access, name, GOOD) == "Name and password do not fit together."


def test_guessing_is_slowed_down_and_its_owner_is_not(access: Access) -> None:
    """After five failures even the right password must wait there, and passes from the owner's own address."""
    access.people.add("anna", GOOD, "analyst")
    for _ in range(5):
        refusal(access, "anna", "wrong password", "evil")
    assert "try again in" in refusal(access, "anna", GOOD, "evil")
    access.people.check("anna", GOOD, "home")


def test_unknown_names_are_slowed_down_alike(access: Access) -> None:
    """The wait does not tell whether a name exists."""
    for _ in range(5):
        refusal(access, "nobody", "wrong password", "evil")
    assert "try again in" in refusal(access, "nobody", "wrong password", "evil")


def test_an_outdated_hash_is_renewed_at_sign_in(tmp_path: Path, access: Access) -> None:
    """After a change of costs the next sign-in stores the password anew, and it still fits."""
    anna = access.people.add("anna", GOOD, "analyst")
    dearer = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    later = Access(tmp_path / "access.db", passwords=Passwords(dearer))
    later.people.check("anna", GOOD, "a")
    with later._file.reading() as connection:
        stored = connection.execute("SELECT password FROM people WHERE id = ?", (anna.id,)).fetchone()[0]
    assert extract_parameters(stored).time_cost == 2
    later.people.check("anna", GOOD, "a")


def test_changes_need_somebody_to_change(access: Access) -> None:
    """Changing nobody is NotFound, a role that does not exist is refused."""
    with pytest.raises(NotFound):
        access.people.set_role("usr_0", "analyst")
    with pytest.raises(NotFound):
        access.people.set_password("usr_0", GOOD)
    with pytest.raises(NotFound):
        access.people.named("nobody")
    anna = access.people.add("anna", GOOD, "analyst")
    with pytest.raises(InvalidOption):
        access.people.set_role(anna.id, "root")
    access.people.set_role(anna.id, "owner")
    assert access.people.get(anna.id).role == "owner"
