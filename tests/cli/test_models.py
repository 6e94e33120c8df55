"""`explainer models`."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.cli.conftest import Shell
from tests.house import House
from tests.registry.folders import write_folder


def test_the_list(house: House, shell: Shell) -> None:
    """In words and as JSON; an empty registry says how a model comes in."""
    assert "explainer register" in shell("models").out
    house.register()
    house.register(version="2.0")
    house.rooms.registry.retire("credit", "2.0")
    lines = shell("models").out.splitlines()
    assert [("retired" in line, "current" in line) for line in lines] == [(True, False), (False, True)]
    assert [m["version"] for m in shell("models", "--json").json] == ["2.0", "1.0"]


def test_one_model(house: House, shell: Shell) -> None:
    """The whole page as JSON; a wrong name is status 1 with the nearest."""
    house.register()
    assert shell("models", "show", "credit").json["schema"][0]["name"] == "amount"
    done = shell("models", "show", "credti")
    assert done.status == 1
    assert "credit" in done.err


def test_retiring(house: House, shell: Shell) -> None:
    """Retired once; a second time is a conflict and status 1."""
    house.register()
    assert shell("models", "retire", "credit", "1.0").status == 0
    assert house.rooms.registry.names() == ()
    assert shell("models", "retire", "credit", "1.0").status == 1


def test_a_model_is_signed_with_a_new_key(shell: Shell, tmp_path: Path) -> None:
    """keygen makes a private key that others cannot read and never overwrites one; sign signs the manifest."""
    key, folder = tmp_path / "owner", write_folder(tmp_path / "model")
    assert shell("models", "keygen", str(key)).status == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    again = shell("models", "keygen", str(key))
    assert again.status == 1
    assert "Traceback" not in again.err
    assert key.read_bytes() == before
    assert shell("models", "sign", str(folder), "--key", str(key)).status == 0
    assert (folder / "manifest.sig").read_text().startswith("explainer-signature")
    assert shell("models", "sign", str(folder)).status == 2
