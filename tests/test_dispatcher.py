"""The dispatcher as a process of its own, asked over its socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from explainer.errors import NotReady
from explainer.workers.dispatch.address import listening
from explainer.workers.dispatch.client import DistantPools
from tests.workers.processes import state_of

PARENT = ("--parent", str(os.getpid()))


def test_it_serves_what_is_registered_and_ends_with_its_children(tmp_path: Path) -> None:
    """With an empty registry it is ready, refuses versions it does not know, and SIGTERM ends its nursery too."""
    path = tmp_path / "dispatcher.sock"
    places = {"EXPLAINER_VAR": str(tmp_path / "var"), "EXPLAINER_REGISTRY": str(tmp_path / "registry")}
    with listening(path) as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "explainer.dispatcher", "--listen", str(listener.fileno()), *PARENT],
            pass_fds=[listener.fileno()],
            env={**os.environ, **places},
        )
        pools = DistantPools(path, patience_s=30)
        with pytest.raises(NotReady, match="not being served"):
            pools.report("no version")
        until = time.monotonic() + 60
        while len(pids := pools.health().processes) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert pools.health().unready == ()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        while any(state_of(pid) is not None for pid in pids):
            assert time.monotonic() < until
            time.sleep(0.05)
        pools.shutdown()


def test_a_bad_setting_is_told() -> None:
    """It ends with status 1 and names the variable."""
    done = subprocess.run(
        [sys.executable, "-m", "explainer.dispatcher", "--listen", "0", "--parent", str(os.getpid())],
        env={**os.environ, "EXPLAINER_THREADS": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "EXPLAINER_THREADS" in done.stderr
