"""A service that is asked to end: what is being answered is answered, and everything is gone in time."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

from tests.faults import hostile, processes
from tests.faults.conftest import Registered, copy_of, serving, started


def test_what_is_being_answered_is_answered(registered: Registered, tmp_path: Path) -> None:
    """SIGTERM while a slow model works: the request gets its right answer, then every process ends, with status 0."""
    with serving(copy_of(registered, tmp_path), tmp_path / "log") as running:
        assert running.ask("hostile", [hostile.GOOD, 1.0, 3.0])[0] == 200
        found: list[tuple[int, dict[str, Any]]] = []
        asking = threading.Thread(target=lambda: found.append(running.ask("hostile", [hostile.SLOW, 1.0, 3.0])))
        asking.start()
        time.sleep(0.2)
        assert asking.is_alive()
        below = [pid for pids in running.roles().values() for pid in pids]
        running.process.send_signal(signal.SIGTERM)
        asking.join(20)
        assert running.process.wait(30) == 0
        processes.until(lambda: not any(map(processes.lives, below)))
    status, answer = found[0]
    assert status == 200, answer
    assert answer["explanations"][0]["prediction"] == 11.0


def test_a_setting_that_cannot_be_used_ends_the_start(registered: Registered, tmp_path: Path) -> None:
    """A service that cannot start ends with status 1 and says why, instead of trying for ever."""
    place = copy_of(registered, tmp_path)
    log = tmp_path / "log"
    process = started({**place.environment, "EXPLAINER_LOG_FORMAT": "verse"}, 1, log)
    assert process.wait(30) == 1
    assert "EXPLAINER_LOG_FORMAT" in log.read_text()
