"""The app of a web process, in a process of its own, with nobody behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from explainer.settings import Settings
from explainer.wsgi import MOST_PROCESSES, processes

PROGRAM = """
import json, sys
from pathlib import Path
from explainer.settings import Settings
from explainer.wsgi import application
app = application(Settings.from_environment(), Path("nobody.sock"))
client = app.test_client()
answers = {path: client.get(path).status_code for path in ("/healthz", "/api/v1/models", "/models", "/readyz")}
why = client.get("/readyz").json["detail"]
heavy = ("shap", "lime", "sklearn", "numba", "scipy", "pandas", "xgboost", "lightgbm")
print(json.dumps({"answers": answers, "why": why, "heavy": [name for name in heavy if name in sys.modules]}))
"""


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_without_a_dispatcher_it_lives_and_says_what_is_missing(tmp_path: Path) -> None:
    """It answers, is not ready and says why, and holds no model library."""
    places = {"EXPLAINER_VAR": str(tmp_path / "var"), "EXPLAINER_REGISTRY": str(tmp_path / "var" / "registry")}
    done = run(["-c", PROGRAM], **places)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answers"] == {"/healthz": 200, "/api/v1/models": 401, "/models": 302, "/readyz": 503}
    assert "restarted" in told["why"]
    assert told["heavy"] == []


def test_a_bad_setting_stops_the_start(tmp_path: Path) -> None:
    """A misspelt variable is said by name instead of being ignored."""
    arguments = ["-m", "explainer.wsgi", "--listen", "0", "--dispatcher", "x", "--parent", str(os.getpid())]
    done = run(arguments, EXPLAINER_VAR=str(tmp_path), EXPLAINER_PROT="1")
    assert done.returncode == 1
    assert "EXPLAINER_PROT" in done.stderr
    assert "Traceback" not in done.stderr


def test_there_is_a_process_for_each_core() -> None:
    """At most four by themselves, as many as are set otherwise."""
    assert processes(Settings()) == min(MOST_PROCESSES, len(os.sched_getaffinity(0)))
    assert processes(Settings(web_processes=7)) == 7
