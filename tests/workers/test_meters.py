"""Proves that the pools tell what the monitoring room understands, and the end of a worker for what it was."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator

import pytest

from explainer.monitoring.meters import Meters
from explainer.workers.client import Worker
from explainer.workers.health import BLAMELESS, KILLED, OWN_DOING
from explainer.workers.meters import NoPoolMeters, PoolMeters, why_ended


def methods(kind: type) -> dict[str, list[str]]:
    found = {n: f for n, f in vars(kind).items() if inspect.isfunction(f) and not n.startswith("_")}
    return {name: list(inspect.signature(function).parameters) for name, function in found.items()}


def test_what_the_pools_tell_the_monitoring_room_understands() -> None:
    """Each method is one of the meters', with the same parameters; the null twin has them all."""
    told = methods(PoolMeters)
    assert told == methods(NoPoolMeters)
    assert {name: parameters for name, parameters in methods(Meters).items() if name in told} == told


@pytest.fixture
def worker() -> Iterator[Worker]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield Worker(1, ours, lambda _: None)


@pytest.mark.parametrize(("blame", "why"), [(BLAMELESS, "nursery-ended"), (KILLED, "killed"), (OWN_DOING, "crashed")])
def test_one_that_ended_is_told_by_what_the_nursery_reports(worker: Worker, blame: int, why: str) -> None:
    """Killed from outside, crashed by itself, or gone with its nursery."""
    worker.end("it ended", blame=blame)
    assert why_ended(worker) == why


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("it did not answer in time", "timed-out"),
        ("it broke the protocol (a frame of 3 bytes)", "broke-protocol"),
        ("it said something that it was not asked", "broke-protocol"),
        ("its connection broke (reset)", "crashed"),
    ],
)
def test_one_that_was_killed_from_here_is_told_by_why(worker: Worker, reason: str, why: str) -> None:
    """The nursery's news of our own kill change nothing."""
    worker.spoil(reason)
    worker.end("it was killed", blame=KILLED)
    assert why_ended(worker) == why
