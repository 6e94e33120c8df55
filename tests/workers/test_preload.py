"""The nursery loads what workers share and stays fit to be forked."""

from __future__ import annotations

import gc
import subprocess
import sys

from explainer.workers.environment import nursery_environment
from explainer.workers.preload import NEVER, prepared
from tests.workers import fake_models


def test_after_preloading_it_may_be_forked() -> None:
    """One thread, no model library, and the libraries that workers need are there."""
    code = (
        "import os, sys; sys.path += os.environ['NURSERY_PATH'].split(':'); "
        "from explainer.workers.preload import preload, unfit; preload(); "
        "print(unfit(), [n for n in ('pandas', 'numba', 'sklearn.pipeline', 'explainer.attribution.engine', "
        "'explainer.formats') if n not in sys.modules])"
    )
    command = [sys.executable, "-P", "-c", code]
    found = subprocess.run(command, env=nursery_environment(), capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[] []"


def test_what_makes_a_process_unfit_is_named() -> None:
    """A second thread and a loaded model library are reported."""
    code = (
        "import sys, threading, time, types; from explainer.workers.preload import unfit; "
        f"sys.modules[{NEVER[0]!r}] = types.ModuleType('x'); "
        "threading.Thread(target=time.sleep, args=(1,), daemon=True).start(); print(unfit())"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=nursery_environment(), capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['xgboost is loaded', '2 threads are running']"


def test_openers_are_found_by_name() -> None:
    """`package.module:name` is that function; a module without `preload` loads only what it imports."""
    opener = prepared("tests.workers.fake_models:open_fake")
    gc.unfreeze()
    assert opener is fake_models.open_fake
