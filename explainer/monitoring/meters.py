"""What the rest of the house tells the meters; what it is made of is their own matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol

from explainer.records import Explanation

Stage = Literal["admit", "registry", "cache", "queue", "compute", "disclose", "record"]
WhyEnded = Literal["crashed", "killed", "timed-out", "broke-protocol", "not-opened", "nursery-ended"]


class Asked(Protocol):
    """One request that is being answered."""

    def answered(self, status: int, code: str | None = None) -> None:
        """It was answered with this HTTP status and, where it is a problem, its code. Later calls change nothing."""


class Meters(Protocol):
    """Every method is cheap (about a microsecond), safe for threads, and never raises.

    `model` is the name of a registered version, `method` of a method that exists: never what a caller sent. No method
    takes a value of a row or the name of a person.
    """

    # the web process

    def asked(self, method: str, route: str, headers: Mapping[str, str]) -> Asked:
        """A request came in: HTTP method, the route's template, the headers that may hold a `traceparent`."""

    def repeated(self, route: str, seconds: float) -> None:
        """A request was answered by the quick way: POST, 200."""

    def stage(self, name: Stage) -> AbstractContextManager[None]:
        """Time what happens inside."""

    def elsewhere(self, name: Stage, seconds: float, ago: float = 0.0) -> None:
        """Show in the trace what another process did, and counted, and ended `ago` seconds before now."""

    def traceparent(self) -> str | None:
        """The W3C header to pass on with what is asked of others now; None while nothing is traced."""

    def rows(self, model: str, *, hits: int, misses: int) -> None:
        """So many rows were explained, known to the cache or not."""

    def computed(self, model: str, explanations: Sequence[Explanation]) -> None:
        """These were computed, and not found in the cache."""

    def warned(self, model: str, codes: Sequence[str]) -> None:
        """These warnings were given with predictions, the code of each."""

    def looked_up(self, tier: str, *, hits: int, misses: int) -> None:
        """A tier of the cache was asked."""

    def cache_failed(self, tier: str, times: int = 1) -> None:
        """A tier could not be used, or an entry in it was damaged."""

    def cache_holds(self, tier: str, size_bytes: int, *, own: bool) -> None:
        """What a tier holds now: this process's `own`, or one that processes share."""

    def recorded(self, seconds: float) -> None:
        """An entry is in the ledger, after so many seconds."""

    def not_recorded(self) -> None:
        """An entry could not be written."""

    def verified(self, whole: bool) -> None:
        """The ledger was verified."""

    def receipts_kept(self, count: int) -> None:
        """So many receipts are on disk."""

    def budget_used_up(self, model: str) -> None:
        """A request was refused because a principal had asked for as much of a model as it may."""

    def signed_in(self, outcome: Literal["admitted", "refused", "throttled"]) -> None:
        """A person tried to sign in."""

    # the exporter

    def exported(self, model: str, *, explained: int, rejected: int, skipped: int) -> None:
        """An export has gone through so many rows more."""

    # the dispatcher

    def queued(self, model: str, waiting: int) -> None:
        """So many requests wait for a worker of this model now."""

    def waited(self, model: str, seconds: float) -> None:
        """A request left the queue after so long."""

    def batch(self, model: str, rows: int, seconds: float) -> None:
        """A worker answered so many rows together, within so long."""

    def worker_started(self, model: str, version: str, pid: int) -> None:
        """A worker is ready."""

    def worker_ended(self, model: str, version: str, pid: int, why: WhyEnded | None) -> None:
        """A worker is gone; `why` is None when it was closed on purpose."""

    def in_service(self, model: str, version: str, serves: bool) -> None:
        """A version was taken out of service, or is back."""


class NotAsked:
    """The null twin of a request."""

    def answered(self, status: int, code: str | None = None) -> None:
        return


class NoMeters:
    """The null twin: nothing is measured."""

    def asked(self, method: str, route: str, headers: Mapping[str, str]) -> Asked:
        return _NOT_ASKED

    def repeated(self, route: str, seconds: float) -> None:
        return

    def stage(self, name: Stage) -> AbstractContextManager[None]:
        return _UNTIMED

    def elsewhere(self, name: Stage, seconds: float, ago: float = 0.0) -> None:
        return

    def traceparent(self) -> str | None:
        return None

    def rows(self, model: str, *, hits: int, misses: int) -> None:
        return

    def computed(self, model: str, explanations: Sequence[Explanation]) -> None:
        return

    def warned(self, model: str, codes: Sequence[str]) -> None:
        return

    def looked_up(self, tier: str, *, hits: int, misses: int) -> None:
        return

    def cache_failed(self, tier: str, times: int = 1) -> None:
        return

    def cache_holds(self, tier: str, size_bytes: int, *, own: bool) -> None:
        return

    def recorded(self, seconds: float) -> None:
        return

    def not_recorded(self) -> None:
        return

    def verified(self, whole: bool) -> None:
        return

    def receipts_kept(self, count: int) -> None:
        return

    def budget_used_up(self, model: str) -> None:
        return

    def signed_in(self, outcome: Literal["admitted", "refused", "throttled"]) -> None:
        return

    def exported(self, model: str, *, explained: int, rejected: int, skipped: int) -> None:
        return

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


_NOT_ASKED: Final = NotAsked()
_UNTIMED: Final = nullcontext()
