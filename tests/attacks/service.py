"""A real `explainer serve` with one small model, for attacks from outside."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults import models, processes
from tests.service.conftest import free_port, start_server, wait_ready


@dataclass(frozen=True)
class Attacked:
    """Where the service is, what it keeps and prints, and the key of its only client."""

    port: int
    var: Path
    log: Path
    key: str
    environment: dict[str, str]
    pid: int

    def processes(self) -> list[int]:
        """Every process of the service."""
        return [self.pid, *(pid for pids in processes.roles(self.pid).values() for pid in pids)]


def prepared(folder: Path, settings: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Register the steady model under `folder`; returns the service's environment and a key."""
    var = folder / "var"
    given = {"EXPLAINER_VAR": str(var), "EXPLAINER_REGISTRY": str(var / "registry"), **settings}
    models.run(given, "register", str(models.steady(folder / "steady")))
    key = models.run(given, "keys", "add", "tests", "--role", "demo").strip().splitlines()[-1]
    return {**os.environ, **given}, key


@contextlib.contextmanager
def attacked(folder: Path, ready: Callable[[int], bool] | None = None, **settings: str) -> Iterator[Attacked]:
    """A service of its own until the context ends; `ready` looks for it where it does not speak plain HTTP."""
    chosen = {"EXPLAINER_WEB_PROCESSES": "1", **settings}
    environment, key = prepared(folder, chosen)
    port, log = free_port(), folder / "log"
    process = start_server(environment, port, log)
    try:
        if ready is None:
            wait_ready(f"http://127.0.0.1:{port}", process, log)
        else:
            processes.until(lambda: process.poll() is not None or ready(port), 60)
        yield Attacked(port, folder / "var", log, key, environment, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
