"""A model is registered, replaced, retired and registered again under load: every answer is that of its own version."""

from __future__ import annotations

import contextlib
import http.client
import math
import threading
import time
from pathlib import Path
from typing import Any

from tests.faults import models, processes
from tests.faults.conftest import Running
from tests.faults.load import Client, is_clear, is_right

NAME = "coming-and-going"


def test_versions_come_and_go_under_load(running: Running, tmp_path: Path) -> None:
    """Answers name the version that gave them and are right for it; otherwise 404, 409 or 503 say why there is none.

    Version 2 answers twice what version 1 does. A version that was retired is never answered from again.
    """
    one = models.steady(tmp_path / "one", NAME, "1")
    two = models.steady(tmp_path / "two", NAME, "2", factor=2.0)
    three = models.steady(tmp_path / "three", NAME, "3")
    environment = running.service.environment
    outcomes: list[tuple[float, int, Any]] = []
    over = threading.Event()
    asking = [threading.Thread(target=ask, args=(running, over, outcomes, n)) for n in range(3)]
    for thread in asking:
        thread.start()
    with running.load(clients=1) as load:
        models.run(environment, "register", str(one))
        processes.until(lambda: latest(outcomes) == "1")
        models.run(environment, "register", str(two))
        processes.until(lambda: latest(outcomes) == "2")
        models.run(environment, "models", "retire", NAME, "1")
        models.run(environment, "models", "retire", NAME, "2")
        processes.until(lambda: outcomes[-1][1] in {404, 409})
        retired = time.monotonic() + 1
        time.sleep(1.5)
        models.run(environment, "register", str(three))
        processes.until(lambda: latest(outcomes) == "3")
    over.set()
    for thread in asking:
        thread.join(30)
    models.run(environment, "models", "retire", NAME, "3")
    assert {status for _, status, _ in outcomes} <= {200, 404, 409, 503}
    assert [found for _, _, found in outcomes if str(found).startswith("wrong")] == []
    assert not [found for at, status, found in outcomes if status == 200 and at > retired and found in {"1", "2"}]
    assert (load.wrong, load.refused, load.broken) == ([], [], [])


def latest(outcomes: list[tuple[float, int, Any]]) -> Any:
    return outcomes[-1][2] if outcomes else None


def ask(running: Running, over: threading.Event, outcomes: list[tuple[float, int, Any]], number: int) -> None:
    client = Client(running.port, running.service.key)
    with contextlib.closing(client):
        while not over.is_set():
            row = [time.monotonic(), float(number), -1.0]
            began = time.monotonic()
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, answer = client.post(f"/api/v1/models/{NAME}/explain", {"instances": [row]})
                outcomes.append((began, status, judged(row, status, answer)))
            time.sleep(0.02)


def judged(row: list[float], status: int, answer: dict[str, Any]) -> str:
    """The version that answered rightly, the code of a clear refusal, or `wrong` with what came."""
    if status != 200:
        return str(answer["code"]) if is_clear(status, answer) else f"wrong: {answer}"
    version = str(answer["model"]["version"])
    if version == "2":
        prediction = answer["explanations"][0]["prediction"]
        return version if math.isclose(prediction, 2 * models.prediction(row), rel_tol=1e-9) else f"wrong: {answer}"
    return version if is_right(row, answer) else f"wrong: {answer}"
