"""What can be seen without the rooms."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

import pytest

from explainer.cli.installation import disk, folder, in_force, look_around, versions
from explainer.settings import Settings


def test_versions_of_this_installation() -> None:
    """Python and every required library are told with the version that is installed, and all fit here."""
    told = {f.what: f for f in versions()}
    assert told["Python"].found == platform.python_version()
    assert told["numpy"].found == metadata.version("numpy")
    assert {f.level for f in told.values()} == {"ok"}
    assert f"lightgbm {metadata.version('lightgbm')}" in told["extras"].found


def test_settings_in_force() -> None:
    """Only what differs from the defaults is listed, by the variable's name."""
    (all_default,) = in_force(Settings())
    assert all_default.found == "all at their defaults"
    (changed,) = in_force(Settings(port=9000, max_rows=5))
    assert changed.found == "EXPLAINER_PORT=9000, EXPLAINER_MAX_ROWS=5"


@pytest.mark.parametrize(("host", "secure", "notes"), [("0.0.0.0", False, 1), ("0.0.0.0", True, 0), ("::1", False, 0)])
def test_an_open_address_without_tls_is_noted(host: str, secure: bool, notes: int) -> None:
    """Whoever listens beyond loopback is told to put TLS in front."""
    told = [f for f in in_force(Settings(host=host, secure_cookies=secure)) if f.level == "note"]
    assert len(told) == notes


def test_a_private_folder_is_good(tmp_path: Path) -> None:
    """Writable, and closed to others; looking leaves nothing behind."""
    tmp_path.chmod(0o700)
    assert [f.level for f in folder(tmp_path)] == ["ok", "ok"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_that_others_enter_is_bad_with_its_files(tmp_path: Path, mode: int) -> None:
    """The folder and each store in it that others may read are named with the command that mends it."""
    (tmp_path / "ledger.db").touch(mode=0o644)
    (tmp_path / "ledger.db").chmod(0o644)
    (tmp_path / "access.db").touch(mode=0o600)
    tmp_path.chmod(mode)
    bad = [f.do for f in folder(tmp_path) if f.level == "bad"]
    assert bad == [f"chmod 700 {tmp_path}", f"chmod 600 {tmp_path}/ledger.db"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """Not there yet is a note, a file in its place is bad."""
    assert [f.level for f in folder(tmp_path / "absent")] == ["note"]
    (tmp_path / "file").touch()
    assert [f.level for f in folder(tmp_path / "file")] == ["bad"]


def test_the_disk(tmp_path: Path) -> None:
    """Free space is told for the nearest folder that exists."""
    (told,) = disk(tmp_path / "not" / "yet")
    assert str(tmp_path) in told.found
    assert told.found.split()[1] == "GB"


def test_all_of_it(tmp_path: Path) -> None:
    """Versions, settings, folder and disk are all looked at."""
    told = {f.what for f in look_around(Settings(var=tmp_path))}
    assert {"Python", "settings", "folder", "disk"} <= told
