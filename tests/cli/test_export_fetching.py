"""`explainer export --models URL`: workers of a cluster that see no registry fetch the model by its digest."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from explainer.records import ModelVersion
from explainer.settings import Settings
from tests.cli.test_export import environment, export, files, run
from tests.exports.conftest import registered, rows_file
from tests.registry.test_fetching import Server, server

__all__ = ["registered", "rows_file", "server"]
pytest.importorskip("distributed")


@pytest.fixture
def cluster(registered: tuple[Settings, ModelVersion], tmp_path: Path) -> Iterator[str]:
    """A scheduler and a worker in processes of their own; the worker's registry folder is empty."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "elsewhere"
    (home / "registry").mkdir(parents=True)
    own = os.environ | {
        "EXPLAINER_REGISTRY": str(home / "registry"), "EXPLAINER_VAR": str(home / "var"),
        "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": str(Path.cwd()),
    }  # fmt: skip
    address = f"tcp://127.0.0.1:{port}"
    words = [
        ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"],
        ["worker", address, "--nthreads", "1", "--nworkers", "1", "--host", "127.0.0.1", "--no-dashboard"],
    ]
    programs = [
        subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_" + one[0], *one[1:]], env=own, cwd=home,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for one in words
    ]  # fmt: skip
    _answers(port)
    yield f"dask://127.0.0.1:{port}"
    for program in reversed(programs):
        program.terminate()
        program.wait(timeout=20)


def _answers(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_a_worker_without_the_registry_fetches_the_model(
    registered: tuple[Settings, ModelVersion], rows_file: Path, cluster: str, server: Server, tmp_path: Path
) -> None:
    """The same bytes as in one process; the model came over HTTP, once, and lies in the worker's own cache."""
    settings, version = registered
    here = run(settings, *export(rows_file, tmp_path / "here"), "--json")
    assert here.returncode == 1, here.stderr
    away = run(settings, *export(rows_file, tmp_path / "away", cluster), "--models", server.address, "--json")
    assert away.returncode == 1, away.stderr
    assert json.loads(away.stdout)["explained"] == 2997
    assert files(tmp_path / "away") == files(tmp_path / "here")
    assert (tmp_path / "elsewhere/cache/explainer/models" / version.digest / "credit/1.0/model.skops").is_file()
    assert server.asked.count("/credit/1.0/model.skops") == 1


def test_a_changed_model_is_refused_by_the_worker(
    registered: tuple[Settings, ModelVersion], rows_file: Path, cluster: str, server: Server, tmp_path: Path
) -> None:
    """What the server gives is not the registered file: nothing is explained, and the answer says which file."""
    (server.folder / "credit/1.0/model.skops").write_bytes(b"something else")
    away = run(registered[0], *export(rows_file, tmp_path / "away", cluster), "--models", server.address)
    assert away.returncode == 1
    assert "model.skops" in away.stderr
    assert not list((tmp_path / "away").glob("explanations.*"))


def test_workers_of_this_machine_fetch_before_they_are_closed_in(
    registered: tuple[Settings, ModelVersion], rows_file: Path, server: Server, tmp_path: Path
) -> None:
    """Two local workers, which may open no connection later, export from the address all the same."""
    settings = registered[0]
    words = [*export(rows_file, tmp_path / "out", "joblib:2"), "--models", server.address]
    own = environment(settings) | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "explainer", *words], env=own, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 1, done.stderr
    assert "2,997 rows explained" in done.stderr
