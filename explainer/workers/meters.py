"""What the pools tell whoever measures them; `FileMeters` of the monitoring room has these methods."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from explainer.workers.client import Worker
from explainer.workers.health import BLAMELESS, KILLED

WhyEnded = Literal["crashed", "killed", "timed-out", "broke-protocol", "not-opened", "nursery-ended"]


class PoolMeters(Protocol):
    """Every method is quick and never raises."""

    def queued(self, model: str, waiting: int) -> None: ...

    def waited(self, model: str, seconds: float) -> None: ...

    def batch(self, model: str, rows: int, seconds: float) -> None: ...

    def worker_started(self, model: str, version: str, pid: int) -> None: ...

    def worker_ended(self, model: str, version: str, pid: int, why: WhyEnded | None) -> None: ...

    def in_service(self, model: str, version: str, serves: bool) -> None: ...


class NoPoolMeters:
    """The null twin."""

    def queued(self, model: str, waiting: int) -> None:
        return

    def waited(self, model: str, seconds: float) -> None:
        return

    def batch(self, model: str, rows: int, seconds: float) -> None:
        return

    def worker_started(self, model: str, version: str, pid: int) -> None:
        return

    def worker_ended(self, model: str, version: str, pid: int, why: WhyEnded | None) -> None:
        return

    def in_service(self, model: str, version: str, serves: bool) -> None:
        return


def why_ended(worker: Worker) -> WhyEnded:
    """Why a worker that nobody closed is gone: as the nursery reports it, or as it was killed from here."""
    if worker.blame == BLAMELESS:
        return "nursery-ended"
    if worker.failure is None:
        return "killed" if worker.blame == KILLED else "crashed"
    if "in time" in worker.failure:
        return "timed-out"
    return "broke-protocol" if "protocol" in worker.failure or "not asked" in worker.failure else "crashed"


UNMEASURED: Final = NoPoolMeters()
