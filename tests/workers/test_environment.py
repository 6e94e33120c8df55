"""The nursery's environment carries no secret and leaves Python's own modules first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explainer.workers.environment import BEGIN, nursery_environment


def test_no_secret_crosses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that workers do not need, our own settings among them, are not handed on."""
    monkeypatch.setenv("EXPLAINER_SECRET", "s")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("HTTPS_PROXY", "proxy")
    environment = nursery_environment()
    assert "s" not in environment.values()
    assert environment["HTTPS_PROXY"] == "proxy"
    assert environment["OMP_NUM_THREADS"] == environment["NUMBA_NUM_THREADS"] == "1"


def test_a_file_beside_us_hides_no_module(tmp_path: Path) -> None:
    """A `random.py` on this process's path does not become the nursery's `random`; what else it holds is found."""
    (tmp_path / "random.py").write_text("print('hijacked')")
    (tmp_path / "only_here.py").write_text("")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    code = BEGIN.replace(
        "from explainer.workers.nursery import main\nmain()", "import random, only_here; print(random.randint(1, 1))"
    )
    environment = {**nursery_environment(), "NURSERY_PATH": path}
    command = [sys.executable, "-P", "-c", code]
    found = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == "1\n"
