"""Whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from explainer.errors import Conflict, ModelRefused, StorageFailed
from explainer.registry.candidate import Candidate, check_folder
from explainer.registry.staging import GENERATION, STAGING, mark_retired, place, writing
from tests.registry.folders import write_folder


@pytest.fixture
def candidate(tmp_path: Path) -> Candidate:
    return check_folder(write_folder(tmp_path / "source"), None)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "registry"


def put(registry: Path, candidate: Candidate) -> Path:
    with writing(registry):
        return place(registry, candidate, b"{}")


def test_placed(registry: Path, candidate: Candidate) -> None:
    """All files are there, read-only, and nothing of the staging is left."""
    folder = put(registry, candidate)
    names = {path.name for path in folder.iterdir()}
    assert names == {*candidate.files, "manifest.toml", "registration.json"}
    assert folder == registry / "credit" / "1.0"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}
    assert list((registry / STAGING).iterdir()) == []


def test_twice(registry: Path, candidate: Candidate) -> None:
    """The same version again is a conflict that leaves the first as it was."""
    folder = put(registry, candidate)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Conflict, match=r"credit version 1\.0 is registered already"):
        put(registry, candidate)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def visible(registry: Path) -> list[str]:
    return sorted(str(p.relative_to(registry)) for p in registry.glob("[!.]*/[!.]*"))


@pytest.mark.parametrize("change", [lambda p: p.write_bytes(b"other"), lambda p: p.unlink()])
def test_changed_between(registry: Path, candidate: Candidate, change: Callable[[Path], object]) -> None:
    """A file that changed or went between check and copy is refused, and nothing of the version is visible."""
    change(candidate.folder / "model.skops")
    with pytest.raises(ModelRefused, match=r"model\.skops changed while it was being registered"):
        put(registry, candidate)
    assert visible(registry) == []
    assert list((registry / STAGING).iterdir()) == []


def test_link_between(registry: Path, candidate: Candidate, tmp_path: Path) -> None:
    """A file that became a link between check and copy is not followed."""
    (candidate.folder / "model.skops").rename(tmp_path / "same")
    (candidate.folder / "model.skops").symlink_to(tmp_path / "same")
    with pytest.raises(ModelRefused, match="changed while it was being registered"):
        put(registry, candidate)


def die_at(step: int, registry: Path, candidate: Candidate) -> int:
    """Register in a child that is killed before its `step`-th system call of a kind that changes the disk."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = [step]
    watched = {"open", "os.rename", "os.mkdir", "os.chmod", "os.remove"}

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if event in watched and str(registry) in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(count)
        put(registry, candidate)
        os._exit(0)
    finally:
        os._exit(1)


def test_killed_anywhere(tmp_path: Path, candidate: Candidate) -> None:
    """Killed before any one of its steps, a registration leaves nothing or everything, and the next one succeeds."""
    outcomes = []
    for step in range(1, 60):
        registry = tmp_path / f"registry{step}"
        code = die_at(step, registry, candidate)
        found = visible(registry) if registry.exists() else []
        assert found in ([], ["credit/1.0"])
        if found:
            names = {path.name for path in (registry / "credit" / "1.0").iterdir()}
            assert names == {*candidate.files, "manifest.toml", "registration.json"}
        else:
            put(registry, candidate)
            assert [p for p in (registry / STAGING).iterdir()] == []
        outcomes.append((code, bool(found)))
        if code == 0:
            break
    assert outcomes[-1] == (0, True)
    assert (-signal.SIGKILL, False) in outcomes
    assert (-signal.SIGKILL, True) in outcomes


def test_retired_mark(registry: Path, candidate: Candidate) -> None:
    """Retiring writes beside the version, changes the generation, and leaves the folder's bytes alone."""
    folder = put(registry, candidate)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    generation = (registry / GENERATION).read_bytes()
    with writing(registry):
        mark_retired(registry, "credit", "1.0", b"{}")
    assert (registry / "credit" / ".retired" / "1.0").read_bytes() == b"{}"
    assert (registry / GENERATION).read_bytes() != generation
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_unwritable(tmp_path: Path, candidate: Candidate) -> None:
    """A registry that cannot be a folder is told as such."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageFailed, match="could not be written"):
        put(tmp_path / "file" / "registry", candidate)


def test_one_writer_at_a_time(registry: Path) -> None:
    """While one process writes, another waits."""
    read, write = os.pipe()
    with writing(registry):
        child = os.fork()
        if child == 0:
            try:
                with writing(registry):
                    os.write(write, b"in")
            finally:
                os._exit(0)
        os.set_blocking(read, False)
        with pytest.raises(BlockingIOError):
            os.read(read, 2)
        os.set_blocking(read, True)
    assert os.read(read, 2) == b"in"
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)
