"""Proves that passkeys let in whom they should, against a device in software that does as it is told."""

from __future__ import annotations

import dataclasses
import json

import pytest

from explainer.access.admit import Access
from explainer.access.passkeys import MOST, Passkeys, Place
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, NotFound
from tests.access.authenticator import Device
from tests.access.conftest import HandClock

HERE = Place("explainer.example", "https://explainer.example")
ANNA, BERT, PURPOSE = "usr_1", "usr_2", "ses_1"


@pytest.fixture
def passkeys(access: Access) -> Passkeys:
    return access.factors.passkeys


@pytest.fixture
def device(passkeys: Passkeys) -> Device:
    """Anna's, registered."""
    made = Device()
    register(passkeys, made)
    return made


def register(passkeys: Passkeys, device: Device, person: str = ANNA, name: str = "telephone") -> None:
    options = passkeys.ask_new(person, "anna", HERE, PURPOSE)
    passkeys.add(person, name, device.make(options), HERE, PURPOSE)


def test_a_passkey_is_made_and_signs_in(passkeys: Passkeys, device: Device, clock: HandClock) -> None:
    """Registered with its name, it answers a challenge; when it was last used is kept."""
    (kept,) = passkeys.of(ANNA)
    assert (kept.name, kept.person, kept.last_used_at) == ("telephone", ANNA, None)
    clock.forward(hours=1)
    seen = passkeys.check(device.sign(passkeys.ask(HERE, PURPOSE, ANNA)), HERE, PURPOSE, ANNA)
    assert seen.person == ANNA
    (kept,) = passkeys.of(ANNA)
    assert kept.last_used_at is not None
    assert kept.sign_count == 1


def test_a_device_says_who_it_is(passkeys: Passkeys, device: Device) -> None:
    """At the sign-in page nobody has typed a name: the passkey leads to its person."""
    options = passkeys.ask(HERE, "sign-in")
    assert "allowCredentials" not in options or options["allowCredentials"] == []
    assert passkeys.check(device.sign(options), HERE, "sign-in").person == ANNA


def test_the_browser_is_asked_to_look_at_who_holds_the_device(passkeys: Passkeys, device: Device) -> None:
    """User verification is required both times, and a device that is registered is not registered twice."""
    asked = passkeys.ask_new(ANNA, "anna", HERE, PURPOSE)
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert [c["id"] for c in asked["excludeCredentials"]] == [passkeys.of(ANNA)[0].id]
    assert passkeys.ask(HERE, PURPOSE, ANNA)["userVerification"] == "required"
    assert asked["rp"]["id"] == "explainer.example"


def test_an_answer_is_good_once(passkeys: Passkeys, device: Device) -> None:
    """Whoever recorded it has nothing of it."""
    answer = device.sign(passkeys.ask(HERE, PURPOSE, ANNA))
    passkeys.check(answer, HERE, PURPOSE, ANNA)
    with pytest.raises(NotAuthenticated):
        passkeys.check(answer, HERE, PURPOSE, ANNA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://explainer.example"},
        {"site": "evil.example"},
        {"verifies": False},
        {"key": Device().key},
    ],
)
def test_answers_of_other_pages_and_devices_are_refused(passkeys: Passkeys, device: Device, wrong: dict) -> None:  # type: ignore[type-arg]
    """Signed for another page or host, without a look at the holder, or with another key."""
    options = passkeys.ask(HERE, PURPOSE, ANNA)
    with pytest.raises(NotAuthenticated):
        passkeys.check(dataclasses.replace(device, **wrong).sign(options), HERE, PURPOSE, ANNA)
    passkeys.check(device.sign(passkeys.ask(HERE, PURPOSE, ANNA)), HERE, PURPOSE, ANNA)


@pytest.mark.parametrize("wrong", [{"origin": "https://evil.example"}, {"site": "evil.example"}, {"verifies": False}])
def test_passkeys_of_other_pages_are_not_registered(passkeys: Passkeys, wrong: dict) -> None:  # type: ignore[type-arg]
    """The same at registration; nothing is kept."""
    with pytest.raises(InvalidOption):
        register(passkeys, Device(**wrong))
    assert passkeys.of(ANNA) == []


def test_a_challenge_is_good_for_its_purpose_and_person_only(passkeys: Passkeys, device: Device) -> None:
    """An answer to another session's question, to the sign-in page's, or for another person, is refused."""
    for asked in (
        passkeys.ask(HERE, "ses_2", ANNA),
        passkeys.ask(HERE, PURPOSE),
        passkeys.ask(HERE, PURPOSE, BERT),
        passkeys.ask_new(ANNA, "anna", HERE, PURPOSE),
        {"challenge": "AAAA"},
    ):
        with pytest.raises(NotAuthenticated):
            passkeys.check(device.sign(asked), HERE, PURPOSE, ANNA)


def test_another_persons_passkey_is_no_second_factor(passkeys: Passkeys, device: Device) -> None:
    """With Bert's password and Anna's device nobody gets in as Bert."""
    register(passkeys, Device(), BERT)
    with pytest.raises(NotAuthenticated):
        passkeys.check(device.sign(passkeys.ask(HERE, PURPOSE, BERT)), HERE, PURPOSE, BERT)


def test_a_copied_device_is_noticed(passkeys: Passkeys, device: Device) -> None:
    """A counter that did not grow lets nobody in."""
    passkeys.check(device.sign(passkeys.ask(HERE, PURPOSE, ANNA)), HERE, PURPOSE, ANNA)
    copy = dataclasses.replace(device, count=0)
    with pytest.raises(NotAuthenticated):
        passkeys.check(copy.sign(passkeys.ask(HERE, PURPOSE, ANNA)), HERE, PURPOSE, ANNA)


def test_a_device_that_does_not_count_is_good(passkeys: Passkeys) -> None:
    """Passkeys that are synchronised between devices always say 0."""
    device = Device(counts=False)
    register(passkeys, device)
    for _ in range(3):
        passkeys.check(device.sign(passkeys.ask(HERE, PURPOSE, ANNA)), HERE, PURPOSE, ANNA)


def test_several_with_names_each_removable(passkeys: Passkeys, device: Device) -> None:
    """A removed one opens nothing; nobody removes another person's."""
    other = Device()
    register(passkeys, other, name=" security key ")
    assert [p.name for p in passkeys.of(ANNA)] == ["telephone", "security key"]
    first, second = passkeys.of(ANNA)
    with pytest.raises(NotFound):
        passkeys.remove(first.id, BERT)
    passkeys.remove(first.id, ANNA)
    assert passkeys.of(ANNA) == [second]
    with pytest.raises(NotAuthenticated):
        passkeys.check(device.sign(passkeys.ask(HERE, PURPOSE)), HERE, PURPOSE)


def test_one_device_is_one_persons(passkeys: Passkeys, device: Device) -> None:
    """The id of a registered passkey cannot be registered again, by nobody."""
    with pytest.raises(Conflict):
        register(passkeys, device, BERT)
    assert passkeys.of(BERT) == []


def test_there_is_a_most(passkeys: Passkeys) -> None:
    """Nobody fills the disk with passkeys."""
    for _ in range(MOST):
        register(passkeys, Device())
    with pytest.raises(Conflict, match="remove one"):
        register(passkeys, Device())


@pytest.mark.parametrize("name", ["x" * 101, "a\nb", "\ud800"])
def test_odd_names_are_refused(passkeys: Passkeys, name: str) -> None:
    """A name is printable and short; none at all becomes `passkey`."""
    with pytest.raises(InvalidOption):
        register(passkeys, Device(), name=name)
    register(passkeys, Device(), name="  ")
    assert passkeys.of(ANNA)[0].name == "passkey"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"id": 1}',
        '{"id": "\\ud800", "response": {"clientDataJSON": "e30"}}',
        '{"id": "x", "response": {"clientDataJSON": "!!"}}',
        '{"id": "x", "response": {"clientDataJSON": "bnVsbA"}}',
        '{"id": "x", "response": []}',
        '{"id": "x", "response": {"clientDataJSON": {"a": 1}}}',
        json.dumps({"id": "x" * 20_000}),
        "\ud800",
    ],
)
def test_rubbish_is_refused(passkeys: Passkeys, device: Device, answer: str) -> None:
    """Whatever a form sends is refused without another error, at sign-in and at registration."""
    with pytest.raises(NotAuthenticated):
        passkeys.check(answer, HERE, PURPOSE)
    with pytest.raises(NotAuthenticated):
        passkeys.add(ANNA, "x", answer, HERE, PURPOSE)
