"""Starts a server, waits for its first answer, and ends it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Server:
    """A running server on 127.0.0.1."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    headers: Mapping[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def post(self, path: str, body: str) -> Any:
        """The JSON answer, whatever its status; OSError while nobody answers."""
        given = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body.encode(), given, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            return {"status": error.code, "detail": error.read().decode(errors="replace")}

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")


def explainer_command(port: int) -> list[str]:
    return [sys.executable, "-m", "explainer", "serve", "--port", str(port)]


def gunicorn_command(app: str, port: int, *settings: str) -> list[str]:
    return [sys.executable, "-m", "gunicorn", *settings, "--bind", f"127.0.0.1:{port}", app]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str],
    port: int,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server while the context lasts; it may not answer yet when the context begins. Said on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {name}\n")
    log = folder / f"{name.replace(' ', '-').replace(',', '')}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, env=os.environ | dict(environment or {}), stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield Server(name, port, process, log, headers or {})
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def first_answer(server: Server, path: str, body: str, seconds: float = 120) -> Any:
    """Ask until the server answers with explanations."""
    until, answer = time.monotonic() + seconds, None
    while time.monotonic() < until:
        server.check_alive()
        with contextlib.suppress(OSError):
            answer = server.post(path, body)
            if "explanations" in answer:
                return answer
        time.sleep(0.02)
    raise RuntimeError(f"{server.name} gave no explanation of {path} in {seconds:.0f} s; the last answer: {answer}")
