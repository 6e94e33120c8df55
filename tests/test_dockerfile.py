"""Facts about the image that can be known without a container engine."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.attacks.certificates import write


@pytest.fixture(scope="module")
def dockerfile(repository: Path) -> str:
    """The Dockerfile with continued lines joined."""
    return (repository / "Dockerfile").read_text().replace("\\\n", " ")


def stages(dockerfile: str) -> list[str]:
    return re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)[1:]


def copied_from_here(dockerfile: str) -> list[str]:
    """What COPY takes from the folder of the build, not from another stage."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", dockerfile, flags=re.MULTILINE)
    return [source.removeprefix("./") for line in lines for source in line.split()[:-1]]


def test_everything_copied_is_there_and_let_through(dockerfile: str, repository: Path) -> None:
    """Each file that COPY names exists and is excepted in .dockerignore, which otherwise keeps all out."""
    ignored = (repository / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    for source in copied_from_here(dockerfile):
        assert (repository / source).exists(), source
        assert f"!{source}" in ignored, source


def test_nothing_else_reaches_the_engine(repository: Path) -> None:
    """No exception of .dockerignore covers what the service writes, the history or a virtual environment."""
    let_in = [line[1:] for line in (repository / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for private in ("var", ".git", ".venv", "models", "tests"):
        assert not any(fnmatch.fnmatch(private, pattern) for pattern in let_in)


def test_the_served_stage_has_no_root_and_no_tools(dockerfile: str) -> None:
    """The last stage ends as a numbered user, runs no shell form, and copies neither uv nor the wheel."""
    last = stages(dockerfile)[-1]
    assert re.findall(r"^USER (.+)$", last, flags=re.MULTILINE)[-1] == "10001:10001"
    for instruction in ("ENTRYPOINT", "CMD"):
        assert json.loads(re.findall(rf"^{instruction} (\[.+\])$", last, flags=re.MULTILINE)[-1])
    assert "/tools" not in last
    assert "/wheel" not in last


def test_settings_of_the_image_exist(dockerfile: str) -> None:
    """Every EXPLAINER_ variable that the image sets is a setting that the service reads."""
    from explainer.settings import Settings

    given = dict(re.findall(r"(EXPLAINER_\w+)=(\S+)", stages(dockerfile)[-1]))
    settings = Settings.from_environment(given)
    assert settings.host == "0.0.0.0"
    assert settings.registry.is_relative_to(settings.var)


def test_every_stage_begins_with_an_image_that_can_be_pinned(dockerfile: str) -> None:
    """One argument, given once, names the image of all stages: with a digest the same sources give the same image."""
    assert (
        len(re.findall(r"^ARG PYTHON_IMAGE=python:3\.\d+-slim(?:@sha256:[0-9a-f]{64})?$", dockerfile, re.MULTILINE))
        == 1
    )
    assert {stage.split()[0] for stage in stages(dockerfile)} == {"${PYTHON_IMAGE}"}


def test_nothing_is_written_outside_the_volume(dockerfile: str) -> None:
    """On a read-only root: settings, compiled kernels and bytecode go to the volume or nowhere."""
    last = stages(dockerfile)[-1]
    (volume,) = re.findall(r"^VOLUME (.+)$", last, flags=re.MULTILINE)
    for name in ("EXPLAINER_VAR", "EXPLAINER_REGISTRY", "NUMBA_CACHE_DIR"):
        assert re.search(rf"\b{name}={volume}", last), name
    assert "PYTHONDONTWRITEBYTECODE=1" in last
    assert "--read-only" in dockerfile


class Answer(BaseHTTPRequestHandler):
    """Answers /healthz with the status of the server's attribute."""

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/healthz" else 404)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *parts: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    served = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
@pytest.mark.parametrize("tls", [False, True])
def test_the_health_check_tells_a_live_service_from_a_sick_one(
    dockerfile: str, server: HTTPServer, tmp_path: Path, status: int, healthy: bool, tls: bool
) -> None:
    """The program of HEALTHCHECK ends with 0 exactly when /healthz answers 200, over TLS too; it needs Python alone."""
    server.status = status  # type: ignore[attr-defined]
    command = json.loads(re.findall(r"^HEALTHCHECK .*CMD (\[.+\])$", dockerfile, flags=re.MULTILINE)[0])
    assert command[0] == "python"
    environment = {**os.environ, "EXPLAINER_PORT": str(server.server_port)}
    if tls:
        certificate, key = write(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        environment["EXPLAINER_TLS_CERTIFICATE"] = str(certificate)
    done = subprocess.run([sys.executable, *command[1:]], env=environment, capture_output=True, check=False)
    assert (done.returncode == 0) == healthy
