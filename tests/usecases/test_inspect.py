"""Is everything in the rooms as it should be?"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from explainer.errors import ModelRefused, NotPermitted
from explainer.registry.signature import generate
from explainer.usecases.inspect import Finding, inspect
from tests.house import House, build


def found(house: House) -> dict[str, list[Finding]]:
    findings: dict[str, list[Finding]] = {}
    for finding in inspect(house.rooms, house.caller("local")):
        findings.setdefault(finding.what, []).append(finding)
    return findings


def test_all_is_well(house: House) -> None:
    """Each current version is opened in a worker and closed again; sandbox, ledger and registry are told."""
    house.register()
    house.register(name="other")
    told = found(house)
    assert {f.level for fs in told.values() for f in fs} == {"ok"}
    assert "sklearn 1.9" in told["model credit 1.0"][0].found
    assert len(told["sandbox"]) == 3
    assert house.workers.asked == ["trial", "trial"]
    assert house.workers.orders == {}
    assert house.entries()[-1].entry.body == {"bad": 0}


def test_no_model_is_a_note(house: House) -> None:
    """Nothing registered is no fault; what to do is said."""
    (note,) = found(house)["models"]
    assert (note.level, note.do) == ("note", "explainer register FOLDER")


def test_another_library_version_is_a_note(house: House) -> None:
    """The golden predictions hold, so it works; the difference is told."""
    golden = dataclasses.replace(house.register().manifest.golden, version="1.8")
    house.register(version="2.0", golden=golden)
    (note,) = found(house)["model credit 2.0"]
    assert note.level == "note"
    assert "made with sklearn 1.8" in note.found


def test_a_model_that_does_not_open_is_bad_and_the_others_are_looked_at(house: House) -> None:
    """The reason is told with what to do; it stops nothing."""
    house.register()
    house.workers.open_failing = ModelRefused("its golden predictions are not reproduced")
    told = found(house)
    assert told["model credit 1.0"][0].level == "bad"
    assert "golden" in told["model credit 1.0"][0].found
    assert told["model credit 1.0"][0].do
    assert told["ledger"][0].level == "ok"
    assert house.entries()[-1].entry.body == {"bad": 1}


def test_a_changed_folder_is_bad(house: House) -> None:
    """A manifest that was changed after registration is a fault of the registry."""
    version = house.register()
    path = version.folder / "manifest.toml"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("a test", "a fraud"))
    house.rooms.registry._catalogue._look_again = 0.0
    house.rooms.registry._catalogue._known.clear()
    (fault,) = found(house)["registry"]
    assert fault.level == "bad"
    assert "changed after registration" in fault.found


@pytest.mark.parametrize(
    "sentence",
    [
        "no sandbox: darwin has neither Landlock nor seccomp",
        "files not closed off: this kernel has no Landlock",
        "system calls not filtered: no table for riscv64",
    ],
)
def test_an_open_sandbox_is_bad(house: House, sentence: str) -> None:
    """Where the kernel holds a worker in less than promised, that is said once and is BAD."""
    house.register()
    house.register(name="other")
    house.workers.isolation = ("no new privileges", sentence)
    told = found(house)["sandbox"]
    assert [(f.level, f.found) for f in told] == [("ok", "no new privileges"), ("bad", sentence)]
    assert "Landlock" in told[1].do


def test_trusted_keys(tmp_path: Path) -> None:
    """Keys are told by name and id; a missing folder and an unreadable key are bad, an empty folder is a note."""
    keys = tmp_path / "keys"
    house = build(tmp_path, trusted_keys=keys)
    assert found(house)["trusted keys"][0].level == "bad"
    keys.mkdir()
    assert found(house)["trusted keys"][0].level == "note"
    key_id = generate(keys / "anna")
    assert found(house)["trusted keys"][0].found == f"anna ({key_id})"
    (keys / "bad.pub").write_text("rubbish")
    (fault,) = found(house)["trusted keys"]
    assert fault.level == "bad"
    assert "bad.pub" in fault.found


def test_only_at_the_machine(house: House) -> None:
    """No granted role looks into the installation."""
    with pytest.raises(NotPermitted):
        inspect(house.rooms, house.caller("administrator"))
