"""A real service for the tests of this folder: demo models, registered by the command line, served by gunicorn."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXPLAINER = [sys.executable, "-m", "explainer"]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Service:
    """A running service: its address, its folder, and an API key."""

    url: str
    var: Path
    models: Path
    key: str
    environment: dict[str, str]

    def call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Answer:
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        given |= {k.replace("_", "-"): v for k, v in headers.items()}
        request = urllib.request.Request(self.url + path, data, {k: v for k, v in given.items() if v}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, dict(response.headers), _parsed(response.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), _parsed(error.read()))

    def explain(self, model: str, rows: Any, **settings: Any) -> Answer:
        return self.call("POST", f"/api/v1/models/{model}/explain", {"instances": rows, **settings})

    def samples(self, model: str) -> list[dict[str, Any]]:
        """Rows of the model's samples.csv as JSON values."""
        schema = self.call("GET", f"/api/v1/models/{model}").body["model"]["schema"]
        with (self.models / model / "samples.csv").open(newline="") as file:
            return [{f["name"]: _value(f, cells[f["name"]]) for f in schema} for cells in csv.DictReader(file)]

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of this service's installation."""
        return subprocess.run(
            [*EXPLAINER, *words], env=self.environment, input=stdin, capture_output=True, text=True, check=False
        )


def _value(feature: dict[str, Any], cell: str) -> Any:
    if cell == "":
        return None
    return {"number": float, "integer": int, "category": str, "boolean": lambda c: c == "true"}[feature["type"]](cell)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def start_server(environment: dict[str, str], port: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [*EXPLAINER, "serve", "--port", str(port)], env=environment, stdout=out, stderr=out, start_new_session=True
        )


def wait_ready(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}:\n{log.read_text()}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url + "/readyz", timeout=5) as response:
            if response.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"the server was not ready in {seconds} s:\n{log.read_text()}")


@pytest.fixture(scope="session")
def demo_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four demo model folders, built once for the session."""
    folder = tmp_path_factory.mktemp("demo") / "models"
    subprocess.run([sys.executable, "-m", "explainer.demo.build", str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def service(demo_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The demo models behind gunicorn, as `explainer serve` runs them."""
    var = tmp_path_factory.mktemp("service") / "var"
    environment = {
        **os.environ,
        "EXPLAINER_VAR": str(var),
        "EXPLAINER_REGISTRY": str(var / "registry"),
        "EXPLAINER_NOTICE_SENDER": "The Bank",
        "EXPLAINER_NOTICE_CONTACT": "reviews@bank.example",
    }
    folders = [str(p) for p in sorted(demo_models.iterdir()) if p.is_dir()]
    done = subprocess.run(
        [*EXPLAINER, "register", *folders], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = subprocess.run(
        [*EXPLAINER, "keys", "add", "tests", "--role", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    port, log = free_port(), var / "server.log"
    process = start_server(environment, port, log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_ready(url, process, log)
        yield Service(url, var, demo_models, made.stdout.strip(), environment)
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def uncached_server(service: Service, log: Path) -> Iterator[Service]:
    """A second server on the same registry that keeps no answers and has two workers for each model."""
    environment = {
        **service.environment,
        "EXPLAINER_CACHE_MEMORY_MB": "0",
        "EXPLAINER_CACHE_DISK_MB": "0",
        "EXPLAINER_WORKERS_PER_MODEL": "2",
    }
    port = free_port()
    process = start_server(environment, port, log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_ready(url, process, log)
        yield Service(url, service.var, service.models, service.key, environment)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def uncached(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with uncached_server(service, tmp_path_factory.mktemp("uncached") / "log") as other:
        yield other
