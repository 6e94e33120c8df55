"""Full, read-only and locked disks: what could not be recorded is not answered, and nothing recorded is lost."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import processes
from tests.faults.conftest import Registered, Running, copy_of, serving

INSIDE = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"]
SERVE = f"exec {sys.executable} -m explainer serve"
MOUNTED = 'mount -t tmpfs -o size=64m,mode=700 none "$VAR" && cp -a "$FROM/." "$VAR"'


def may_mount() -> bool:
    done = subprocess.run([*INSIDE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return done.returncode == 0


needs_mount = pytest.mark.skipif(not may_mount(), reason="this user may not mount a tmpfs in a namespace of its own")


@contextlib.contextmanager
def on_small_disk(registered: Registered, folder: Path, after: str = "true") -> Iterator[Running]:
    """The service in a mount namespace where its folder is a disk of 64 MB; `after` runs before it starts."""
    var = folder / "var"
    var.mkdir()
    moved = {name: value.replace(str(registered.var), str(var)) for name, value in registered.environment.items()}
    inside = replace(registered, environment={**moved, "VAR": str(var), "FROM": str(registered.var)})
    command = [*INSIDE, "sh", "-c", f'{MOUNTED} && {after} && {SERVE} "$@"', "sh"]
    with serving(inside, folder / "log", command, VAR=str(var), FROM=str(registered.var)) as running:
        yield running


def seen_from_outside(running: Running) -> Path:
    """The service's folder through the namespace of its process."""
    return Path(f"/proc/{running.process.pid}/root{running.service.environment['VAR']}")


@needs_mount
def test_a_full_disk_stops_answers_and_loses_none(registered: Registered, tmp_path: Path) -> None:
    """While no byte can be written explanations are refused with 503 storage-failed; with room again they are given."""
    with on_small_disk(registered, tmp_path) as running:
        ballast = seen_from_outside(running) / "ballast"
        with running.load() as load:
            processes.until(lambda: len(load.right) > 20)
            fill(ballast)
            processes.until(lambda: (503, "storage-failed") in load.refused)
            time.sleep(1)
            ballast.unlink()
            since = time.monotonic()
            processes.until(lambda: load.answered_after(since))
        assert load.wrong == []
        assert load.broken == []
        assert {code for _, code in load.refused} == {"storage-failed"}
        assert running.lost(load) == []


def fill(ballast: Path) -> None:
    """Write until there is no room for one byte more."""
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size) == size:
                    pass


@needs_mount
def test_a_read_only_disk_is_named(registered: Registered, tmp_path: Path) -> None:
    """On a read-only disk the service does not start as if nothing were wrong: it says what it cannot do, and ends."""
    readonly = 'mount -o remount,ro "$VAR"'
    with (
        pytest.raises(AssertionError, match="the server ended with 1") as caught,
        on_small_disk(registered, tmp_path, readonly),
    ):
        pass
    assert f"{tmp_path / 'var'}" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_file_that_may_not_grow_stops_answers(registered: Registered, tmp_path: Path) -> None:
    """When the kernel refuses every further byte (a quota, here RLIMIT_FSIZE) nothing is answered, nothing is lost."""
    with serving(copy_of(registered, tmp_path), tmp_path / "log") as running:
        with running.load() as load:
            processes.until(lambda: len(load.right) > 20)
            everyone = [pid for pids in running.roles().values() for pid in pids]
            for pid in everyone:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            processes.until(lambda: (503, "storage-failed") in load.refused)
            for pid in everyone:
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            since = time.monotonic()
            processes.until(lambda: load.answered_after(since))
        assert load.wrong == []
        assert running.lost(load) == []


def test_a_locked_database_is_waited_for(running: Running) -> None:
    """While another process holds a database for writing, requests wait or are refused in words; then all go on."""
    files = sorted(running.service.var.glob("*.db"))
    assert files
    with running.load() as load:
        for file in files:
            processes.until(lambda: load.right)
            with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as other:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(1.5)
                other.execute("ROLLBACK")
            since = time.monotonic()
            processes.until(lambda since=since: load.answered_after(since))  # type: ignore[misc]
    assert load.wrong == []
    assert load.broken == []
    assert running.lost(load) == []
