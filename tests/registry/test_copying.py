"""The copy of a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.errors import StorageFailed
from explainer.registry.store import Registry
from explainer.settings import Settings
from tests.registry.folders import REPORT, write_folder


def test_a_copy_is_a_registry_again(tmp_path: Path) -> None:
    """Versions, retirements and digests are the same, files are read-only still, and locks stay behind."""
    registry = Registry(Settings(registry=tmp_path / "registry"))
    for version in ("1.0", "2.0"):
        registry.admit(registry.check(write_folder(tmp_path / version, version=version)), REPORT)
    registry.retire("credit", "2.0")
    registry.backup_to(tmp_path / "copy")
    copy = Registry(Settings(registry=tmp_path / "copy"))
    shown = [(v.manifest.version, v.digest, v.retired_at) for v in copy.versions()]
    assert shown == [(v.manifest.version, v.digest, v.retired_at) for v in registry.versions()]
    assert copy.faults() == ()
    background = [r.order(r.get("credit")).background.tobytes() for r in (registry, copy)]
    assert background[0] == background[1]
    assert not (tmp_path / "copy" / "credit" / "1.0" / "model.skops").stat().st_mode & 0o222
    assert not {".lock", ".staging"} & {p.name for p in (tmp_path / "copy").iterdir()}
    copy.admit(copy.check(write_folder(tmp_path / "3.0", version="3.0")), REPORT)
    assert copy.get("credit").manifest.version == "3.0"


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    """A target that exists is refused as a failed storage."""
    registry = Registry(Settings(registry=tmp_path / "registry"))
    (tmp_path / "copy").mkdir()
    with pytest.raises(StorageFailed):
        registry.backup_to(tmp_path / "copy")
