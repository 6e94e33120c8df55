"""Proves with real processes under load: kill -9 and replacement lose no count, and none ever falls."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from explainer.monitoring.page import page
from tests.monitoring.conftest import READINGS, samples

WEB = """
import sys, threading
from pathlib import Path
from explainer.monitoring.cells import Cells
from explainer.monitoring.recording import LIVE, FileMeters
meters = FileMeters(Cells(Path(sys.argv[1]), "web", LIVE))
asked = 0
for line in sys.stdin:
    request = meters.asked("POST", "/explain", {})
    with meters.stage("compute"):
        pass
    request.answered(200)
    meters.recorded(0.001)
    if line == "hold\\n":
        meters.asked("POST", "/explain", {})
    print("done", flush=True)
"""
COUNTERS = ("_total", "_bucket", "_count", "_sum")


class Web:
    """A process that answers one request for each line."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WEB, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, what: str = "ask") -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def test_counts_never_fall_when_processes_are_killed_and_replaced(tmp_path: Path) -> None:
    """Four processes, 12 kills: every scrape is at or above the one before, and the end is the exact number asked."""
    chance, webs, answered, before = random.Random(11), [Web(tmp_path) for _ in range(4)], 0, {}
    try:
        for kill in range(12):
            for _ in range(10):
                chance.choice(webs).ask()
                answered += 1
            found = {k: v for k, v in samples(page(tmp_path, READINGS)).items() if _monotone(k[0])}
            assert all(found.get(key, -1) >= value for key, value in before.items()), kill
            assert found["explainer_ledger_entries_total", ()] == answered
            before = found
            victim = chance.randrange(4)
            webs[victim].kill()
            after = samples(page(tmp_path, READINGS))
            assert after["explainer_ledger_entries_total", ()] == answered
            assert after["explainer_processes", (("role", "web"),)] <= 3
            webs[victim] = Web(tmp_path)
        assert len(list(tmp_path.iterdir())) <= 4
    finally:
        for web in webs:
            web.kill()


def test_requests_of_a_killed_process_are_no_longer_in_flight(tmp_path: Path) -> None:
    """A level goes with its process, and does not come back with the next one that takes over its file."""
    web = Web(tmp_path)
    try:
        web.ask("hold")
        assert samples(page(tmp_path, READINGS))["explainer_http_requests_in_flight", ()] == 1
        web.kill()
        assert samples(page(tmp_path, READINGS))["explainer_http_requests_in_flight", ()] == 0
        web = Web(tmp_path)
        web.ask()
        found = samples(page(tmp_path, READINGS))
        assert found["explainer_http_requests_in_flight", ()] == 0
        assert found["explainer_ledger_entries_total", ()] == 2
    finally:
        web.kill()


def test_a_page_read_while_others_count_is_always_whole(tmp_path: Path) -> None:
    """Two processes that count as fast as they can, new series among them: no scrape misses a metric that was there."""
    busy = (
        "import sys\nfrom pathlib import Path\nfrom explainer.monitoring.cells import Cells\n"
        "cells = Cells(Path(sys.argv[1]), 'web')\nprint('begun', flush=True)\n"
        "for i in range(10**9):\n"
        "    cells.add(('explainer_receipts_total',))\n"
        "    cells.add(('explainer_cache_errors_total', str(i // 50 % 400)))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", busy, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        before: dict[object, float] = {}
        end = time.monotonic() + 2
        while time.monotonic() < end:
            found = samples(page(tmp_path, READINGS))
            assert all(found.get(key, -1) >= value for key, value in before.items() if _monotone(key[0]))
            before = dict(found)
        assert before["explainer_receipts_total", ()] > 1000
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _monotone(name: str) -> bool:
    return name.endswith(COUNTERS) and "cpu_seconds" not in name
