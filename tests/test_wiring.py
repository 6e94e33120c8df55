"""Rooms from settings."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from explainer.cache.tiers import NoCache
from explainer.errors import StorageFailed
from explainer.settings import Settings, SettingsError
from explainer.wiring import furnish


def settings(var: Path, **changes: int) -> Settings:
    return Settings(var=var, registry=var / "registry", **changes)  # type: ignore[arg-type]


def test_everything_is_kept_in_one_private_folder(tmp_path: Path) -> None:
    """The folder is made for its owner only, and every file in it likewise; no process is started."""
    var = tmp_path / "new" / "var"
    rooms = furnish(settings(var))
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    files = {path.name for path in var.glob("*.db")}
    assert files == {"access.db", "controls.db", "extraction.db", "ledger.db"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in var.glob("*.db*"))
    assert rooms.workers.processes() == []
    assert rooms.registry.versions() == ()


@pytest.mark.parametrize(("memory", "disk"), [(0, 1), (1, 0), (0, 0)])
def test_a_tier_of_size_0_is_left_out(tmp_path: Path, memory: int, disk: int) -> None:
    """Without a disk tier there is no file, without both nothing is remembered."""
    rooms = furnish(settings(tmp_path, cache_memory_mb=memory, cache_disk_mb=disk))
    assert isinstance(rooms.cache, NoCache) is (memory == disk == 0)
    asked: list[list[int]] = []

    def compute(missing: list[int]) -> list[tuple[bytes, bool]]:
        asked.append(missing)
        return [(b"answer", True) for _ in missing]

    hits = [rooms.cache.through([b"k" * 32], compute)[0][1] for _ in range(2)]
    assert (tmp_path / "cache.db").exists() is (disk > 0)
    assert hits == [False, memory + disk > 0]
    assert len(asked) == (1 if memory + disk > 0 else 2)


@pytest.mark.parametrize("store", ["access.db", "ledger.db", "receipts.db"])
def test_a_broken_store_is_said_by_name(tmp_path: Path, store: str) -> None:
    """A file that is no database stops the start with its name; nothing is begun anew in its place."""
    (tmp_path / store).write_bytes(b"rubbish" * 1000)
    with pytest.raises(StorageFailed, match=store):
        furnish(settings(tmp_path))
    assert (tmp_path / store).read_bytes().startswith(b"rubbish")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file in the way of EXPLAINER_VAR is named with the variable."""
    (tmp_path / "var").touch()
    with pytest.raises(StorageFailed, match="EXPLAINER_VAR"):
        furnish(settings(tmp_path / "var"))


@pytest.mark.parametrize("wrong", [{"review_sample": 1.5}, {"review_sample": float("nan")}, {"review_blind": "often"}])
def test_settings_of_reviews_are_checked_at_the_start(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A share that is none and an unknown word stop the start with the variable's name."""
    with pytest.raises(SettingsError, match="EXPLAINER_REVIEW_"):
        furnish(Settings(var=tmp_path, **wrong))
