"""`explainer backup`, and that what it wrote can be restored by hand."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, run
from tests.house import House, build
from tests.registry.folders import FILES


def test_a_backup_is_restored_by_copying_it_back(house: House, shell: Shell, good_rows: Path, tmp_path: Path) -> None:
    """The folder, put in the place of EXPLAINER_VAR, has every receipt, key, entry and model; a replay is identical."""
    house.register({**FILES, "samples.csv": FILES["background.csv"]})
    key = shell("keys", "add", "script").out.strip()
    receipt = json.loads(shell("explain", "credit", "--input", str(good_rows)).out.splitlines()[0])["receipt"]
    target = tmp_path / "copy"
    done = shell("backup", str(target))
    assert done.status == 0, done.err
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=target, check=True, capture_output=True)
    shutil.copytree(target, tmp_path / "new" / "var")
    restored = build(tmp_path / "new")
    assert run(restored, "replay", receipt).status == 0
    assert restored.rooms.access.principal_of_bearer(key).name == "script"
    assert [v.digest for v in restored.rooms.registry.versions()] == [v.digest for v in house.rooms.registry.versions()]
    copied = json.loads((target / "backup.json").read_text())
    assert copied["ledger"]["head"] in done.out
    assert restored.rooms.ledger.verify().ok
    assert restored.entries()[copied["ledger"]["entries"] - 1].seal == copied["ledger"]["head"]


def test_machine_readable(house: House, shell: Shell, tmp_path: Path) -> None:
    """The digest of every file, and the verdict on the copied ledger."""
    house.register()
    told = shell("backup", str(tmp_path / "copy"), "--json").json
    assert told["folder"] == str(tmp_path / "copy")
    assert told["ledger"]["ok"] is True
    assert {"access.db", "ledger.db", "registry/credit/1.0/model.skops"} <= set(told["files"])


def test_the_copy_is_closed_to_others(house: House, shell: Shell, tmp_path: Path) -> None:
    """It holds rows and hashes of passwords: nobody else may enter it."""
    house.register()
    shell("backup", str(tmp_path / "copy"))
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o700
    for path in (tmp_path / "copy").glob("*.db"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["full folder", "file", "dangling link", "no parent", "in the registry"])
def test_where_nothing_can_be_put(house: House, shell: Shell, tmp_path: Path, kind: str) -> None:
    """What is there is never touched: status 1 with the reason, and nothing half-done beside it."""
    place = tmp_path / "place"
    house.register()
    if kind == "full folder":
        place.mkdir()
        (place / "precious").write_text("mine")
    elif kind == "file":
        place.write_text("mine")
    elif kind == "dangling link":
        place.symlink_to(tmp_path / "nowhere")
    elif kind == "no parent":
        place = tmp_path / "absent" / "place"
    else:
        place = house.rooms.settings.registry / "place"
    before = sorted(tmp_path.iterdir())
    done = shell("backup", str(place))
    assert done.status == 1
    assert str(place) in done.err or str(place.parent) in done.err
    assert sorted(tmp_path.iterdir()) == before
    if kind == "full folder":
        assert (place / "precious").read_text() == "mine"


def test_wrong_usage(shell: Shell) -> None:
    """The folder must be named."""
    assert shell("backup").status == 2
