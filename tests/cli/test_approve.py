"""`explainer approve`."""

from __future__ import annotations

from click.testing import CliRunner, Result

from explainer.cli.approve import command
from explainer.cli.rooms import Furnisher
from explainer.errors import InvalidOption
from explainer.records import Notice
from tests.house import House
from tests.registry.folders import REPORT, write_folder

FINDINGS = (Notice("scaffold", "Another model."), Notice("background-shifted", "Other rows."))


def approved(house: House, *words: str) -> Result:
    candidate = house.rooms.registry.check(write_folder(house.folder / "model"))
    house.rooms.registry.admit(candidate, REPORT, FINDINGS, "key_owner")
    given = {"EXPLAINER_VAR": str(house.rooms.settings.var)}
    furnisher = Furnisher(lambda settings: house.rooms)
    return CliRunner().invoke(command, ["credit", "1.0", *words], obj=furnisher, env=given)


def test_findings_are_accepted_with_their_reasons(house: House) -> None:
    """Each --accept takes the --reason of its place, and the version is served."""
    first, second = ("--accept", "scaffold", "--reason", "first of the two"), ("--accept", "background-shifted")
    done = approved(house, *first, *second, "--reason", "second of the two")
    assert done.exit_code == 0, done.exception
    assert "Approved credit version 1.0" in done.output
    assert "scaffold was accepted: first of the two" in house.rooms.registry.serve("credit").notices[-1].detail
    assert house.entries()[-1].entry.principal.startswith("local:")


def test_each_finding_needs_a_reason(house: House) -> None:
    """Two findings with one reason are refused before anything is looked at; without any, both are listed."""
    done = approved(house, "--accept", "scaffold", "--accept", "background-shifted", "--reason", "one for both")
    assert isinstance(done.exception, InvalidOption)
    assert house.rooms.registry.names() == ()


def test_nothing_is_accepted_by_default(house: House) -> None:
    """Without --accept every finding that stands in the way is told."""
    done = approved(house)
    assert isinstance(done.exception, InvalidOption)
    assert [p.where for p in done.exception.problems] == ["accept.background-shifted", "accept.scaffold"]
