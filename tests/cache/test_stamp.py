"""Proves that a renewed stamp is seen by every process that has it, once by each."""

from __future__ import annotations

from pathlib import Path

from explainer.cache.stamp import Stamp


def test_everybody_sees_it_once(tmp_path: Path) -> None:
    """Nothing has changed at first; then each that had it before sees each renewal once, whoever renewed it."""
    first, second = Stamp(tmp_path / "stamp"), Stamp(tmp_path / "stamp")
    assert not first.renewed()
    assert first.renew()
    assert first.renewed()
    assert second.renewed()
    assert not second.renewed()
    late = Stamp(tmp_path / "stamp")
    assert not late.renewed()
    assert second.renew()
    assert late.renewed()
    assert late.renew()
    assert second.renewed()


def test_it_is_one_private_file(tmp_path: Path) -> None:
    """Nothing else is left beside it, and nobody else may read it."""
    stamp = Stamp(tmp_path / "stamp")
    for _ in range(3):
        stamp.renew()
    assert [path.name for path in tmp_path.iterdir()] == ["stamp"]
    assert (tmp_path / "stamp").stat().st_mode & 0o077 == 0


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Whoever renews it must know that others did not hear of it."""
    (tmp_path / "file").write_text("no folder")
    assert not Stamp(tmp_path / "file" / "stamp").renew()
