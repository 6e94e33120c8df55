"""Whatever a model does, its caller is told in words, the service goes on, and other models never notice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults import hostile, models, processes
from tests.faults.conftest import Registered, Running
from tests.faults.load import is_clear

REFUSED = {
    "raises": (hostile.RAISE, 502, "model-failed"),
    "answers NaN": (hostile.NAN, 502, "model-failed"),
    "answers two columns": (hostile.SHAPE, 502, "model-failed"),
    "answers for one row more": (hostile.LENGTH, 502, "model-failed"),
    "answers millions of numbers": (hostile.MANY, 502, "model-failed"),
    "answers objects": (hostile.OBJECT, 502, "model-failed"),
    "takes all memory": (hostile.MEMORY, 502, "model-failed"),
    "ends its process": (hostile.EXIT, 502, "worker-died"),
    "hangs": (hostile.HANG, 504, "worker-timed-out"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_fault_costs_its_own_request(running: Running, fault: str) -> None:
    """The request gets a clear 502 or 504; meanwhile and afterwards another model answers, every answer right."""
    deed, status, code = REFUSED[fault]
    processes.until(lambda: running.ask("hostile", [0, 1.0, 2.0])[0] == 200)
    with running.load(clients=2) as load:
        began = time.monotonic()
        found, answer = running.ask("hostile", [deed, 1.0, began])
        assert (found, answer["code"]) == (status, code), answer
        assert is_clear(found, answer)
        assert time.monotonic() - began < 12
        processes.until(lambda: load.answered_after(time.monotonic() - 0.5))
    assert (load.wrong, load.refused, load.broken) == ([], [], [])
    assert load.right


@pytest.mark.parametrize("deed", [hostile.PRINT, hostile.FORK])
def test_noise_and_forks_cost_nothing(running: Running, deed: int) -> None:
    """A model that prints 40 MB, or tries to fork, answers rightly, and leaves no process behind."""
    processes.until(lambda: running.ask("hostile", [0, 1.0, 2.0])[0] == 200)
    status, answer = running.ask("hostile", [deed, 1.0, 2.0], seed=int(time.monotonic()))
    assert status == 200, answer
    assert answer["explanations"][0]["prediction"] == 8.0
    workers = set(running.roles()["worker"])
    assert not [pid for pid, parent in processes.parents().items() if parent in workers]


def test_a_model_that_keeps_dying_is_taken_out_of_service(
    running: Running, registered: Registered, tmp_path: Path
) -> None:
    """After some deaths it is refused with the reason, which /readyz shows as well; the others go on."""
    folder = models.misbehaving(tmp_path / "dying", registered.var.parent / "key", "dying")
    models.run(running.service.environment, "register", str(folder))
    processes.until(lambda: running.ask("dying", [0, 1.0, 2.0])[0] == 200)
    answer: dict[str, object] = {}
    with running.load(clients=1) as load:
        end = time.monotonic() + 30
        while answer.get("code") != "not-ready" or "within a minute" not in str(answer["detail"]):
            assert time.monotonic() < end, answer
            status, answer = running.ask("dying", [hostile.EXIT, 1.0, time.monotonic()])
            assert status in {502, 503}, answer
    assert "exit" in str(answer["detail"])
    assert "within a minute" in running.service.call("GET", "/readyz").body["out_of_service"]["dying"]
    assert (load.wrong, load.refused, load.broken) == ([], [], [])
    models.run(running.service.environment, "models", "retire", "dying", "1")
