"""A folder that is there complete or not at all."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from explainer.errors import StorageFailed
from explainer.usecases.whole_folder import digests, whole, write_new


def fill(target: Path, error: BaseException | None = None) -> None:
    with whole(target) as staged:
        write_new(staged / "file", b"content")
        assert not target.exists() or not any(target.iterdir())
        if error is not None:
            raise error


def test_it_takes_its_name_at_the_end(tmp_path: Path) -> None:
    """Nobody sees it before it is complete; then it is there, for its owner only, and nothing is beside it."""
    fill(tmp_path / "target")
    assert [p.name for p in tmp_path.iterdir()] == ["target"]
    assert (tmp_path / "target" / "file").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o700


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_nothing_is_left_of_a_failure(tmp_path: Path, error: BaseException) -> None:
    """Neither the folder nor its beginnings stay."""
    with pytest.raises(type(error)):
        fill(tmp_path / "target", error)
    assert list(tmp_path.iterdir()) == []


def test_a_refusing_disk_is_a_failed_storage(tmp_path: Path) -> None:
    """What the system says is passed on with the folder's name, also when somebody was quicker."""
    with pytest.raises(StorageFailed, match="target could not be written"):
        fill(tmp_path / "absent" / "target")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "other").write_text("mine")
    with pytest.raises(StorageFailed, match="target"), whole(tmp_path / "target"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["target"]


def test_digests_of_all_files(tmp_path: Path) -> None:
    """Every file at any depth by its path, with its SHA-256 and the sum of sizes."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    write_new(tmp_path / "a" / "b" / "x", b"12")
    write_new(tmp_path / "y", b"345")
    found, size = digests(tmp_path)
    assert found == {"a/b/x": hashlib.sha256(b"12").hexdigest(), "y": hashlib.sha256(b"345").hexdigest()}
    assert size == 5
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "y", b"")
