"""kill -9 of any process under load: every answer right or refused in words, nothing acknowledged lost, well again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.faults import hostile, processes
from tests.faults.conftest import Registered, Running, copy_of, serving, started
from tests.faults.load import Load
from tests.service.conftest import wait_ready

RECOVERY_S = 60  # benchmarks/service measures how long it takes; here, that it ends
CUT_OFF = {"web", "arbiter"}  # only these hold connections of clients


@pytest.mark.parametrize("role", ["worker", "nursery", "dispatcher", "exporter", "web", "arbiter"])
def test_a_killed_process_is_replaced(running: Running, role: str) -> None:
    """Killed twice under load; requests of others than the killed web process are never cut off."""
    with running.load() as load:
        for _ in range(2):
            wait_for_answers(load)
            victims = running.roles()[role]
            assert victims
            for victim in victims:
                processes.kill(victim)
            wait_for_answers(load)
    assert load.wrong == []
    if role not in CUT_OFF:
        assert load.broken == []
    assert running.lost(load) == []


def test_a_worker_killed_at_work_costs_its_request(running: Running) -> None:
    """A request whose worker is killed gets 502 and the signal's name, at once."""
    processes.until(lambda: running.ask("hostile", [0, 1.0, 2.0])[0] == 200)
    found = []
    asking = threading.Thread(target=lambda: found.append(running.ask("hostile", [hostile.HANG, 1.0, 3.0])))
    asking.start()
    time.sleep(0.5)
    for worker in running.roles()["worker"]:
        processes.kill(worker)
    asking.join(10)
    ((status, answer),) = found
    assert (status, answer["code"]) == (502, "worker-died")
    assert "SIGKILL" in answer["detail"]


def test_stopped_processes_hold_nobody_for_ever(running: Running) -> None:
    """A worker that is stopped (SIGSTOP) is a hanging one: its request is refused, the next is answered."""
    processes.until(lambda: running.ask("hostile", [0, 1.0, 2.0])[0] == 200)
    stopped = running.roles()["worker"]
    try:
        for worker in stopped:
            send(worker, signal.SIGSTOP)
        status, answer = running.ask("steady", [1.0, 2.0, time.monotonic()])
        assert status in {503, 504}, answer
        processes.until(running.is_well, RECOVERY_S)
    finally:
        for worker in stopped:
            send(worker, signal.SIGCONT)


def test_random_kills_under_load(running: Running) -> None:
    """A random process is killed every half second for a while: no wrong answer, nothing lost."""
    chance = random.Random(7)
    with running.load() as load:
        for _ in range(12):
            roles = {name: pids for name, pids in running.roles().items() if pids and name != "other"}
            if roles:  # right after some kills there may be nothing left but the supervisor
                processes.kill(chance.choice(roles[chance.choice(sorted(roles))]))
            time.sleep(0.5)
        wait_for_answers(load)
    assert load.wrong == []
    assert load.right
    assert running.lost(load) == []


def test_the_whole_service_may_be_killed(registered: Registered, tmp_path: Path) -> None:
    """kill -9 of the supervisor ends every process; a new start finds all that was acknowledged."""
    log = tmp_path / "log"
    with serving(copy_of(registered, tmp_path), log) as running:
        with running.load() as load:
            processes.until(lambda: len(load.right) > 50)
            below = [pid for pids in running.roles().values() for pid in pids]
            running.process.kill()
            running.process.wait(10)
            processes.until(lambda: not any(map(processes.lives, below)))
        assert load.wrong == []
        again = started(running.service.environment, running.port, log)
        try:
            wait_ready(running.service.url, again, log)
            processes.until(running.is_well)
            assert running.lost(load) == []
        finally:
            again.terminate()
            again.wait(30)


def wait_for_answers(load: Load) -> None:
    """Until a request that was sent from now on is answered rightly."""
    since = time.monotonic() + 0.2
    processes.until(lambda: load.answered_after(since), RECOVERY_S)


def send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
