"""What the first start says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import click
import pytest

from explainer.cli.rooms import Furnisher
from explainer.cli.welcome import say_first_link
from explainer.settings import Settings
from explainer.usecases.rooms import Rooms
from tests.house import PASSWORD, House

Say = Callable[..., str]


@pytest.fixture
def say(house: House, capsys: pytest.CaptureFixture[str]) -> Say:
    """Call it as the command line does, and return what was printed."""

    def called(**settings: str) -> str:
        with click.Context(click.Command("x"), obj=Furnisher(_furnish(house))):
            say_first_link(dataclasses.replace(house.rooms.settings, **settings), "127.0.0.1", 9000)
        return capsys.readouterr().out

    return called


def _furnish(house: House) -> Callable[[Settings], Rooms]:
    return lambda settings: dataclasses.replace(house.rooms, settings=settings)


def test_a_link_is_printed_until_there_is_somebody(house: House, say: Say) -> None:
    """Each start prints a new one, which ends the one before; once somebody is there nothing is printed."""
    first, second = (re.search(r"(\S+)/invitation/(\S+)", say()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first[1] == "http://localhost:9000"
    access = house.rooms.access
    access.door.accept(second[2], "anna", PASSWORD)
    assert access.people.named("anna").role == "administrator"
    assert say() == ""
    assert first[2] not in str(house.entries())


def test_the_link_leads_to_the_public_address(say: Say) -> None:
    """Where the settings name one."""
    assert "https://explainer.example/invitation/" in say(public_url="https://explainer.example/")
