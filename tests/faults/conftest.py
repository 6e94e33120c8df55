"""A real `explainer serve` on small models whose answers are known, judged from outside while things go wrong."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults import models, processes
from tests.faults.load import Client, Load, all_found, is_right
from tests.service.conftest import Service, free_port, start_server, wait_ready

SETTINGS = {
    "EXPLAINER_WEB_PROCESSES": "2",
    "EXPLAINER_WORKER_TIMEOUT_S": "2",
    "EXPLAINER_OPEN_TIMEOUT_S": "30",
    "EXPLAINER_WORKER_MEMORY_MB": "1024",
}


@dataclass(frozen=True)
class Running:
    """A service with its supervisor's process and its log."""

    service: Service
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def roles(self) -> dict[str, list[int]]:
        return processes.roles(self.process.pid)

    def load(self, clients: int = 4) -> Load:
        return Load(self.port, self.service.key, clients)

    def ask(self, model: str, row: list[float], **settings: Any) -> tuple[int, dict[str, Any]]:
        client = Client(self.port, self.service.key)
        with contextlib.closing(client):
            return client.post(f"/api/v1/models/{model}/explain", {"instances": [row], **settings})

    def is_well(self) -> bool:
        """Whether the steady model answers rightly now."""
        with contextlib.suppress(OSError):
            row = [1.5, 2.5, -0.5]
            status, answer = self.ask("steady", row, seed=os.urandom(4)[0])
            return status == 200 and is_right(row, answer)
        return False

    def lost(self, load: Load) -> list[str]:
        """What is missing of what was acknowledged, and what is wrong with the ledger."""
        missing = all_found(self.port, self.service.key, load.receipts)
        verified = self.service.call("GET", "/api/v1/ledger/verify").body
        if not verified.get("ok") or verified["entries"] < len(load.receipts):
            missing.append(f"ledger: {verified}")
        return missing


@dataclass(frozen=True)
class Registered:
    """A folder with registered models, accounts and nothing else yet, to be copied for each service."""

    var: Path
    key: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """The models, registered by the command line, and an API key."""
    folder = tmp_path_factory.mktemp("faults")
    var, trusted, key = folder / "var", folder / "trusted", folder / "key"
    trusted.mkdir()
    environment = {
        "EXPLAINER_VAR": str(var),
        "EXPLAINER_REGISTRY": str(var / "registry"),
        "EXPLAINER_TRUSTED_KEYS": str(trusted),
    }
    models.run({}, "models", "keygen", str(key))
    key.with_name("key.pub").rename(trusted / "key.pub")
    folders = [models.steady(folder / "steady"), models.misbehaving(folder / "hostile", key)]
    models.run(environment, "register", *map(str, folders))
    secret = models.run(environment, "keys", "add", "tests", "--role", "demo").strip()
    return Registered(var, secret, environment)


def copy_of(registered: Registered, folder: Path) -> Registered:
    """The same in a folder of its own."""
    var = folder / "var"
    shutil.copytree(registered.var, var)
    moved = {name: value.replace(str(registered.var), str(var)) for name, value in registered.environment.items()}
    return Registered(var, registered.key, moved)


@contextlib.contextmanager
def serving(registered: Registered, log: Path, command: list[str] | None = None, **settings: str) -> Iterator[Running]:
    """`explainer serve` until the context ends; every process that it started is gone then."""
    environment = {**os.environ, **registered.environment, **SETTINGS, **settings}
    port = free_port()
    process = started(environment, port, log, command)
    url = f"http://127.0.0.1:{port}"
    service = Service(url, registered.var, registered.var, registered.key, environment)
    try:
        wait_ready(url, process, log)
        yield Running(service, port, process, log)
    finally:
        below = [pid for pids in processes.roles(process.pid).values() for pid in pids]
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        processes.until(lambda: not any(map(processes.lives, below)))


def started(
    environment: Mapping[str, str], port: int, log: Path, command: list[str] | None = None
) -> subprocess.Popen[bytes]:
    if command is None:
        return start_server(dict(environment), port, log)
    with log.open("ab") as out:
        return subprocess.Popen(
            [*command, "--port", str(port)], env=environment, stdout=out, stderr=out, start_new_session=True
        )


@pytest.fixture(scope="session")
def shared(registered: Registered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all tests that leave it well."""
    folder = tmp_path_factory.mktemp("shared")
    with serving(copy_of(registered, folder), folder / "log") as running:
        yield running


@pytest.fixture
def running(shared: Running) -> Iterator[Running]:
    """The shared service, well before and after the test."""
    processes.until(shared.is_well)
    yield shared
    processes.until(shared.is_well)
