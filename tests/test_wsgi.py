"""The app that gunicorn serves, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys, time
from explainer.wsgi import application
app = application()
client = app.test_client()
answers = {path: client.get(path).status_code for path in ("/healthz", "/api/v1/models", "/models")}
until = time.monotonic() + 30
while client.get("/readyz").status_code != 200 and time.monotonic() < until:
    time.sleep(0.05)
answers["/readyz"] = client.get("/readyz").status_code
heavy = ("shap", "lime", "sklearn", "numba", "scipy", "pandas", "xgboost", "lightgbm")
print(json.dumps({"answers": answers, "heavy": [name for name in heavy if name in sys.modules]}))
"""


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_the_service_starts_answers_and_ends(tmp_path: Path) -> None:
    """Furnished from the environment alone it answers, becomes ready, holds no model library, and ends by itself."""
    done = start(EXPLAINER_VAR=str(tmp_path / "var"), EXPLAINER_REGISTRY=str(tmp_path / "var" / "registry"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answers"] == {"/healthz": 200, "/api/v1/models": 401, "/models": 302, "/readyz": 200}
    assert told["heavy"] == []


def test_a_bad_setting_stops_the_start(tmp_path: Path) -> None:
    """A misspelt variable is said by name instead of being ignored."""
    done = start(EXPLAINER_VAR=str(tmp_path), EXPLAINER_PROT="1")
    assert done.returncode != 0
    assert "EXPLAINER_PROT" in done.stderr
