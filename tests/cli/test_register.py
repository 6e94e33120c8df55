"""`explainer register`."""

from __future__ import annotations

import json
from pathlib import Path

from explainer.errors import ModelRefused, Problem
from tests.cli.conftest import Shell
from tests.house import House
from tests.registry.folders import write_folder


def test_folders_are_registered(house: House, shell: Shell, tmp_path: Path) -> None:
    """Each folder is tried and told with its digest; status 0."""
    folders = [write_folder(tmp_path / name, name=name) for name in ("one", "two")]
    done = shell("register", *map(str, folders))
    assert done.status == 0
    assert house.rooms.registry.names() == ("one", "two")
    assert house.rooms.registry.get("one").digest[:12] in done.out
    assert {e.entry.principal.partition(":")[0] for e in house.entries()} == {"local"}


def test_one_bad_folder_does_not_stop_the_others(house: House, shell: Shell, tmp_path: Path) -> None:
    """Every reason is printed on standard error, the good folder comes in, and the status is 1."""
    bad = write_folder(tmp_path / "bad", positive_class="ugly", name="bad")
    good = write_folder(tmp_path / "good", name="good")
    done = shell("register", str(bad), str(good), str(tmp_path / "absent"))
    assert done.status == 1
    assert house.rooms.registry.names() == ("good",)
    assert "ugly" in done.err
    assert "absent" in done.err


def test_machine_readable(house: House, shell: Shell, tmp_path: Path) -> None:
    """One JSON line for each folder, with the digest or with every problem."""
    good, bad = write_folder(tmp_path / "good"), write_folder(tmp_path / "bad")
    (bad / "card.md").unlink()
    done = shell("register", "--json", str(good), str(bad))
    first, second = map(json.loads, done.out.splitlines())
    assert first["digest"] == house.rooms.registry.get("credit").digest
    assert second["code"] in {"model-refused", "conflict"}
    assert all(set(p) == {"where", "rule", "detail"} for p in second["problems"])
    assert done.status == 1


def test_a_model_that_fails_its_trial(house: House, shell: Shell, tmp_path: Path) -> None:
    """What the trial found is printed line by line."""
    house.workers.open_failing = ModelRefused("two things", problems=[Problem("predict", "nan", "answers NaN")])
    done = shell("register", str(write_folder(tmp_path / "model")))
    assert (done.status, done.out) == (1, "")
    assert "predict: answers NaN [nan]" in done.err


def test_a_folder_is_needed(shell: Shell) -> None:
    """Without a folder it is wrong usage."""
    assert shell("register").status == 2
