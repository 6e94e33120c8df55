"""Facts about the command that builds the demonstration models."""

from __future__ import annotations

import filecmp
import subprocess
import sys
from pathlib import Path

import pytest

from explainer.demo.build import main
from tests.demo.conftest import NAMES

FILES = {"manifest.toml", "background.csv", "golden.json", "samples.csv", "card.md"}


def test_two_builds_are_equal_to_the_byte(two_builds: tuple[Path, Path]) -> None:
    """Two processes that build from nothing write the same files with the same bytes."""
    first, second = two_builds
    for name in NAMES:
        files = sorted(path.name for path in (first / name).iterdir())
        assert files == sorted(path.name for path in (second / name).iterdir())
        assert set(files) > FILES
        _, different, unreadable = filecmp.cmpfiles(first / name, second / name, files, shallow=False)
        assert (different, unreadable) == ([], [])


def test_nothing_unfinished_is_left(built: Path) -> None:
    """After a build only the four finished folders are there, readable by others."""
    assert sorted(path.name for path in built.iterdir()) == sorted(NAMES)
    assert all(path.stat().st_mode & 0o777 == 0o755 for path in built.iterdir())


def test_missing_leaves_alone_what_is_there(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --missing a folder that exists is named but not written again."""
    (tmp_path / "credit-xgb").mkdir()
    assert main([str(tmp_path), "--missing", "--only", "credit-xgb"]) == 0
    assert capsys.readouterr().out == "credit-xgb\n"
    assert list((tmp_path / "credit-xgb").iterdir()) == []


def test_only_builds_what_was_named_and_replaces_it(built: Path, tmp_path: Path) -> None:
    """--only builds one model, in the place of an older folder of that name."""
    (tmp_path / "credit-xgb").mkdir()
    (tmp_path / "credit-xgb" / "old").touch()
    assert main([str(tmp_path), "--only", "credit-xgb"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["credit-xgb"]
    assert not (tmp_path / "credit-xgb" / "old").exists()
    assert filecmp.dircmp(tmp_path / "credit-xgb", built / "credit-xgb").diff_files == []


def test_an_unknown_model_is_a_usage_error(tmp_path: Path) -> None:
    """A name that is no recipe's ends with status 2 and the list of names, and builds nothing."""
    command = [sys.executable, "-m", "explainer.demo.build", str(tmp_path), "--only", "credit-forest"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(name in done.stderr for name in NAMES)
    assert list(tmp_path.iterdir()) == []
