"""The demonstration models, built twice side by side by the command that users run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("credit-gbm", "credit-xgb", "credit-mlp", "diabetes-forest")


@pytest.fixture(scope="session")
def two_builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders, each written by its own process from nothing."""
    folders = (tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second"))
    command = [sys.executable, "-m", "explainer.demo.build"]
    running = [subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE, text=True) for folder in folders]
    for process in running:
        out, _ = process.communicate()
        assert process.returncode == 0
        assert out.split() == list(NAMES)
    return folders


@pytest.fixture(scope="session")
def built(two_builds: tuple[Path, Path]) -> Path:
    return two_builds[0]
