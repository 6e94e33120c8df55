"""`explainer doctor`."""

from __future__ import annotations

from pathlib import Path

from explainer.errors import ModelRefused
from tests.cli.conftest import Shell
from tests.house import House


def test_a_healthy_installation_is_status_0(house: House, shell: Shell) -> None:
    """Every line is ok or a note, and the workers are ended."""
    house.register()
    done = shell("doctor")
    assert done.status == 0, done.out
    assert done.out.splitlines()[-1] == "Everything is as it should be."
    assert "ok   model credit 1.0: " in done.out
    assert "ok   ledger: " in done.out
    assert "BAD" not in done.out
    assert house.workers.stopped


def test_a_fault_is_bad_with_what_to_do(house: House, shell: Shell) -> None:
    """Status 1, the line says BAD, the next what to do, and the last how many."""
    house.register()
    house.workers.open_failing = ModelRefused("its golden predictions are not reproduced")
    done = shell("doctor")
    assert done.status == 1
    lines = done.out.splitlines()
    (bad,) = [i for i, line in enumerate(lines) if line.startswith("BAD ")]
    assert "golden" in lines[bad]
    assert lines[bad + 1].startswith("     -> ")
    assert lines[-1].startswith("1 of ")


def test_machine_readable(house: House, shell: Shell) -> None:
    """The same findings as JSON, with the verdict."""
    house.register()
    told = shell("doctor", "--json").json
    assert told["ok"] is True
    assert {"level", "what", "found", "do"} == set(told["findings"][0])
    assert "Python" in {f["what"] for f in told["findings"]}


def test_a_bad_setting_is_a_finding(shell: Shell) -> None:
    """What stops every other command is what the doctor is asked about."""
    done = shell("doctor", EXPLAINER_PORT="many")
    assert done.status == 1
    assert "BAD  settings: EXPLAINER_PORT='many'" in done.out


def test_rooms_that_cannot_be_furnished_are_a_finding(house: House, shell: Shell) -> None:
    """When a store is broken the rest is told all the same."""
    house.rooms.ledger.close()
    done = shell("doctor")
    assert done.status == 1
    assert "BAD  rooms: " in done.out
    assert "ok   Python: " in done.out


def test_a_folder_that_others_may_enter_is_bad(house: House, shell: Shell) -> None:
    """The folder's mode is looked at, with the command that mends it."""
    Path(house.rooms.settings.var).chmod(0o755)
    done = shell("doctor")
    assert done.status == 1
    assert f"chmod 700 {house.rooms.settings.var}" in done.out
