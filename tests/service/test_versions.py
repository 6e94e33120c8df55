"""Versions come and go in a running service, and a file that is swapped behind its back is never answered from."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from tests.service.conftest import Service


def registered_copy(service: Service, folder: Path, name: str) -> None:
    """Register credit-xgb once more under another name, by the command line."""
    shutil.copytree(service.models / "credit-xgb", folder)
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace('name = "credit-xgb"', f'name = "{name}"', 1))
    done = service.run("register", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_and_retired_versions_are_seen_without_a_restart(service: Service, tmp_path: Path) -> None:
    """A model answers as soon as it is registered, as the model it was copied from, and not once it is retired."""
    row = service.samples("credit-xgb")[0]
    assert service.explain("credit-copy", [row]).status == 404
    registered_copy(service, tmp_path / "copy", "credit-copy")
    answer = service.explain("credit-copy", [row])
    assert answer.status == 200, answer.body
    original = service.explain("credit-xgb", [row]).body["explanations"][0]
    assert answer.body["explanations"][0]["attributions"] == original["attributions"]
    assert service.run("models", "retire", "credit-copy", "1.0").returncode == 0
    assert service.explain("credit-copy", [row]).status == 409


def test_a_swapped_file_is_not_answered_from(service: Service, tmp_path: Path) -> None:
    """When the workers must be started again and the file is another one, the version is out of service, others not."""
    row = service.samples("credit-xgb")[0]
    registered_copy(service, tmp_path / "swapped", "credit-swapped")
    assert service.explain("credit-swapped", [row], seed=1).status == 200
    stored = service.var / "registry" / "credit-swapped" / "1.0" / "model.ubj"
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(data)
    try:
        killed = workers()
        assert killed
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        refused = wait_for(service, "credit-swapped", row, 503)
        assert "checksum" in refused["detail"]
        assert wait_for(service, "credit-xgb", row, 200)["explanations"]
    finally:
        service.run("models", "retire", "credit-swapped", "1.0")


def workers() -> list[int]:
    """Processes that hold models under servers of this test run: the leaves below a nursery."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    leaves = set(parents) - set(parents.values())
    return [pid for pid in leaves if ours(pid, parents) and is_nursery(pid)]


def ours(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != os.getpid():
        pid = parents[pid]
    return pid == os.getpid()


def is_nursery(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"explainer.workers.nursery" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def wait_for(service: Service, model: str, row: dict[str, Any], status: int) -> dict[str, Any]:
    """The body of the first answer of this status; whatever else comes meanwhile is no answer to the question."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        answer = service.explain(model, [row], seed=time.monotonic_ns() % 2**60)
        if answer.status == status:
            return dict(answer.body)
        assert answer.status in {502, 503}, answer.body
        time.sleep(0.1)
    raise AssertionError(f"{model} was not answered with {status}: {answer.body}")
