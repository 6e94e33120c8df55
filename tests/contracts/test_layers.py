"""The layers of the house: who imports whom, and what the web process never loads."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from pathlib import Path
from pkgutil import iter_modules

import pytest

# Programs that run outside the web process: the demo's training, and what a worker process runs.
OUTSIDE = ("explainer.demo", "explainer.formats", "explainer.attribution", "explainer.workers")
HEAVY = (
    *("shap", "lime", "sklearn", "skops", "joblib", "numba", "llvmlite", "scipy", "pandas", "pyarrow", "matplotlib"),
    *("xgboost", "lightgbm", "catboost", "onnx", "onnxruntime"),
)

IMPORT_ALL = """
import importlib, json, pkgutil, sys
outside, heavy = json.loads(sys.argv[1])
def names(package):
    yield package.__name__
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.startswith(tuple(outside)) and not found.name.endswith("__main__"):
            yield found.name
packages = [importlib.import_module(name) for name in ("explainer", "webui")]
loaded = [importlib.import_module(name).__name__ for package in packages for name in list(names(package))]
print(json.dumps({"loaded": loaded, "heavy": [name for name in heavy if name in sys.modules]}))
"""


def test_the_import_contracts_hold(repository: Path) -> None:
    """Every contract in .importlinter holds for the sources as they are."""
    program = Path(sys.executable).with_name("lint-imports")
    assert program.exists(), "import-linter is missing; make test installs it"
    done = subprocess.run([program, "--no-cache"], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_room_has_a_shelf(repository: Path) -> None:
    """Every module and package directly under explainer/ is placed on a shelf, so none escapes the contracts."""
    contracts = configparser.ConfigParser()
    contracts.read(repository / ".importlinter")
    placed = set(contracts["importlinter:contract:shelves"]["layers"].replace("|", " ").replace(":", " ").split())
    present = {f"explainer.{found.name}" for found in iter_modules([str(repository / "explainer")])}
    assert present - placed == set()


@pytest.mark.slow
def test_the_web_process_loads_no_heavy_library() -> None:
    """Importing every module of shelves 3 to 7, the app and both front doors among them, loads no heavy library."""
    command = [sys.executable, "-c", IMPORT_ALL, json.dumps([OUTSIDE, HEAVY])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"explainer.wsgi", "explainer.app", "explainer.wiring", "explainer.cli", "webui.pages"} <= set(
        found["loaded"]
    )
    assert found["heavy"] == []


def test_the_watch_over_heavy_libraries_would_see_one() -> None:
    """The check above is not blind: where something has imported scikit-learn, it is reported."""
    code = IMPORT_ALL.replace("outside, heavy = ", "import sklearn; outside, heavy = ")
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps([OUTSIDE, HEAVY])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "sklearn" in json.loads(done.stdout)["heavy"]
