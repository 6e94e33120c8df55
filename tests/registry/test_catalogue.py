"""What is registered, kept in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.errors import ModelRefused, StorageFailed
from explainer.registry.catalogue import LOOK_AGAIN_S, Catalogue
from explainer.registry.staging import GENERATION, announce
from explainer.registry.store import Registry
from explainer.settings import Settings
from tests.registry.folders import REPORT, write_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry of credit 1.0 and 2.0, and loan 1.0."""
    registry = Registry(Settings(registry=tmp_path / "registry"))
    for name, version in (("credit", "1.0"), ("credit", "2.0"), ("loan", "1.0")):
        source = write_folder(tmp_path / f"{name}{version}", name=name, version=version)
        registry.admit(registry.check(source), REPORT)
    return tmp_path / "registry"


def test_snapshot(folder: Path) -> None:
    """Versions come by name and newest first; the current one is the newest."""
    now = Catalogue(folder).now()
    assert list(now.versions) == [("credit", "2.0"), ("credit", "1.0"), ("loan", "1.0")]
    assert {name: v.manifest.version for name, v in now.current.items()} == {"credit": "2.0", "loan": "1.0"}
    assert now.report(now.current["loan"]) == REPORT


def test_nothing_is_read_while_nothing_changed(folder: Path) -> None:
    """Without a new generation the very same snapshot is handed out; with one, a new one of the same records."""
    catalogue = Catalogue(folder)
    first = catalogue.now()
    assert catalogue.now() is first
    announce(folder)
    second = catalogue.now()
    assert second is not first
    assert second.versions["loan", "1.0"].manifest is first.versions["loan", "1.0"].manifest


def test_a_lost_announcement_is_made_good(folder: Path) -> None:
    """A version whose registration died before its announcement is found when the time to look again has come."""
    catalogue = Catalogue(folder)
    catalogue.now()
    (folder / "loan" / "1.0").rename(folder / ".hidden")
    assert ("loan", "1.0") in catalogue.now().versions
    catalogue._look_again -= LOOK_AGAIN_S + 1
    assert ("loan", "1.0") not in catalogue.now().versions


def test_empty(tmp_path: Path) -> None:
    """A registry that does not exist yet is empty."""
    assert Catalogue(tmp_path / "nowhere").now().versions == {}


def test_foreign_things_are_passed_over(folder: Path) -> None:
    """Hidden folders, files, links and names that no model can have are not versions."""
    for name in (".old/1.0", "UPPER/1.0", "credit/.retired", "credit/-x"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "note.txt").write_text("x")
    (folder / "credit" / "3.0").symlink_to(folder / "credit" / "2.0")
    now = Catalogue(folder).now()
    assert len(now.versions) == 3
    assert now.faults == {}


def test_one_damaged_version_does_not_hide_the_others(folder: Path) -> None:
    """A folder that was changed is a fault with a reason; what is whole is still served."""
    (folder / "credit" / "2.0" / "manifest.toml").unlink()
    (folder / "loan" / ".retired").mkdir()
    (folder / "loan" / ".retired" / "1.0").write_text("?")
    now = Catalogue(folder).now()
    assert list(now.versions) == [("credit", "1.0")]
    assert set(now.faults) == {("credit", "2.0"), ("loan", "1.0")}
    assert all(isinstance(fault, ModelRefused) for fault in now.faults.values())
    assert now.current["credit"].manifest.version == "1.0"


def test_unreadable(tmp_path: Path) -> None:
    """A registry that is no folder is a failure of storage, not an empty registry."""
    (tmp_path / "registry").write_text("x")
    with pytest.raises(StorageFailed, match=r"could not be (read|written)"):
        Catalogue(tmp_path / "registry").now()


def test_the_generation_is_a_new_file_each_time(folder: Path) -> None:
    """Two announcements never look alike to a stat, even within one tick of the clock."""
    seen = set()
    for _ in range(5):
        announce(folder)
        status = (folder / GENERATION).stat()
        seen.add((status.st_ino, status.st_mtime_ns))
    assert len(seen) == 5
