"""Redis, the cache that hosts share, goes and comes back: answers are only slower while it is away."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import processes
from tests.faults.conftest import Registered, copy_of, serving
from tests.service.conftest import free_port

REDIS = shutil.which("redis-server") or shutil.which("valkey-server")


@contextlib.contextmanager
def redis(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(REDIS), "--port", str(port), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(REDIS is None, reason="no redis-server (Debian: apt-get install redis-server)")
def test_redis_may_go_and_come_back(registered: Registered, tmp_path: Path) -> None:
    """Killed, frozen and started again under load: every answer right, none refused, none held up for long."""
    port = free_port()
    settings = {"EXPLAINER_REDIS_URL": f"redis://127.0.0.1:{port}/0", "EXPLAINER_CACHE_MEMORY_MB": "0"}
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(redis(port, tmp_path))
        running = stack.enter_context(serving(copy_of(registered, tmp_path), tmp_path / "log", **settings))
        with running.load() as load:
            processes.until(lambda: len(load.right) > 20)
            first.send_signal(19)  # SIGSTOP: connected, but silent
            since = time.monotonic() + 1
            processes.until(lambda: load.answered_after(since), 20)
            first.kill()
            first.wait()
            since = time.monotonic() + 1
            processes.until(lambda: load.answered_after(since), 20)
            stack.enter_context(redis(port, tmp_path))
            since = time.monotonic() + 1
            processes.until(lambda: load.answered_after(since), 20)
        assert (load.wrong, load.refused, load.broken) == ([], [], [])
        assert running.lost(load) == []
        row = [0.25, 0.5, 0.75]
        assert running.ask("steady", row)[1]["explanations"][0]["cache"] == "miss"
        assert running.ask("steady", row)[1]["explanations"][0]["cache"] == "hit"
