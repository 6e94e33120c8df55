"""A Redis of the test's own, from this machine's program."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


class OwnRedis:
    """A server on a Unix socket in a folder of its own, which forgets everything when it ends."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder = program, folder
        self.url = f"unix://{folder}/redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Return when it answers."""
        socket = self.folder / "redis.sock"
        socket.unlink(missing_ok=True)
        fixed = [
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(self.folder),
        ]
        self.process = subprocess.Popen([self.program, *fixed, *options], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if b"accept connections" in line:
                return
        raise AssertionError(f"{self.program} did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.communicate()
            self.process = None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    """A Redis that is not started yet; skipped where there is none to start."""
    pytest.importorskip("redis", reason="the Python package `redis` is missing: pip install 'explainer[redis]'")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on this machine; install it (Debian: apt-get install redis-server)")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:  # a socket's path is short
        server = OwnRedis(program, Path(folder))
        yield server
        server.kill()


@pytest.fixture
def redis_server(own_redis: OwnRedis) -> OwnRedis:
    """A Redis that runs."""
    own_redis.start()
    return own_redis
