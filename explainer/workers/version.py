"""The workers of one served version: who is idle, who is busy, who must be replaced."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from explainer.errors import ExplainerError, ModelRefused, NotReady, Overloaded
from explainer.records import ExplainOptions, Explanation, FloatArray, Interactions, LoadOrder, OpenReport
from explainer.settings import Settings
from explainer.workers import codec
from explainer.workers.answers import checked_explanations, checked_interactions, checked_predictions
from explainer.workers.client import Worker, opened, within
from explainer.workers.frames import Frame
from explainer.workers.health import BLAMELESS, KILLED, OWN_DOING, Health

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PoolState:
    """How a version is served. `isolation` says what holds its workers in, `out_of_service` why it does not answer."""

    wanted: int
    alive: int
    busy: int
    restarts: int
    last_failure: str | None
    out_of_service: str | None
    isolation: tuple[str, ...]


class VersionPool:
    """Keeps `settings.workers_per_model` workers of one version and hands questions to whoever is free."""

    def __init__(
        self,
        order: LoadOrder,
        settings: Settings,
        fork: Callable[[], Worker],
        again: Callable[[], LoadOrder] | None = None,
    ) -> None:
        """`again` gives the order anew, its files checked, for every worker after the first."""
        self._order = order
        self._again = again or (lambda: order)
        self._settings = settings
        self._fork = fork
        self._changed = threading.Condition()
        self._idle: deque[Worker] = deque()
        self._busy: set[Worker] = set()
        self._waiting: deque[object] = deque()  # who came first is served first
        self._health = Health()
        self._closed = False
        self._isolation: tuple[str, ...] = ()
        self._report: OpenReport | None = None

    @property
    def report(self) -> OpenReport:
        if self._report is None:
            raise NotReady("This version has not been opened yet.")
        return self._report

    def open(self) -> OpenReport:
        """Open the first worker and have the others opened in the background; raises what the first one reports."""
        self._admit(self._opened(self._order))
        threading.Thread(target=self._keep, name=f"keeper of {self._order.digest[:12]}", daemon=True).start()
        return self.report

    def predict(self, rows: FloatArray) -> FloatArray:
        """Return finite predictions of shape (rows, outputs)."""
        with self._workers(1) as (worker,):
            answer = worker.ask(codec.predict_frame(rows), within(self._settings.worker_timeout_s))
            predictions = worker.understand(codec.read_predictions, answer)
        return checked_predictions(predictions, len(rows), self.report.outputs)

    def explain(self, rows: FloatArray, options: ExplainOptions) -> list[tuple[Explanation, ...]]:
        """Return a tuple of explanations for each row; contiguous parts of the rows go to all workers that are idle."""
        if len(rows) == 0:
            return []
        with self._workers(len(rows), options.deadline_ms) as workers:
            parts = np.array_split(rows, len(workers))
            frames = [codec.explain_frame(part, options) for part in parts]
            found = _ask_all(workers, frames, codec.read_explanations, within(self._settings.worker_timeout_s))
        return checked_explanations(found, len(rows), len(self._order.manifest.features), self.report.outputs)

    def interact(self, rows: FloatArray, options: ExplainOptions) -> list[tuple[Interactions, ...]]:
        """Return a tuple of interaction matrices for each row, shared out as `explain` does."""
        if len(rows) == 0:
            return []
        with self._workers(len(rows)) as workers:
            frames = [codec.interact_frame(part, options) for part in np.array_split(rows, len(workers))]
            found = _ask_all(workers, frames, codec.read_interactions, within(self._settings.worker_timeout_s))
        return checked_interactions(found, len(rows), len(self._order.manifest.features), self.report.outputs)

    def state(self) -> PoolState:
        with self._changed:
            return PoolState(
                wanted=self._settings.workers_per_model,
                alive=len(self._idle) + len(self._busy),
                busy=len(self._busy),
                restarts=max(0, self._health.openings - self._settings.workers_per_model),
                last_failure=self._health.last_failure,
                out_of_service=self._health.out_of_service,
                isolation=self._isolation,
            )

    def waiting(self) -> int:
        """How many questions wait for a worker."""
        return len(self._waiting)

    def close(self) -> None:
        """End idle workers now and busy ones when they have answered."""
        with self._changed:
            self._closed = True
            idle = list(self._idle)
            self._idle.clear()
            self._changed.notify_all()
        for worker in idle:
            worker.close()

    @contextlib.contextmanager
    def _workers(self, most: int, patience_ms: int | None = None) -> Iterator[list[Worker]]:
        """Take one worker, waiting for it, and up to `most` if they are idle; give them back in the end."""
        longest = self._settings.queue_timeout_s
        taken = [self._take(longest if patience_ms is None else min(longest, patience_ms / 1000))]
        try:
            with self._changed:
                while self._idle and not self._waiting and len(taken) < most:
                    taken += self._next_idle()
            yield taken
        finally:
            for worker in taken:
                self._give_back(worker)

    def _take(self, patience_s: float) -> Worker:
        deadline, place = within(patience_s), object()
        with self._changed:
            self._waiting.append(place)
            try:
                while True:
                    if self._closed:
                        raise NotReady("This version has been taken out of service.")
                    if why := self._health.out_of_service:
                        raise NotReady(f"This version is out of service: {why}.")
                    if self._waiting[0] is place and (found := self._next_idle()):
                        return found[0]
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise self._none_free(patience_s)
                    self._changed.wait(left)
            finally:
                self._waiting.remove(place)
                self._changed.notify_all()

    def _next_idle(self) -> list[Worker]:
        while self._idle:
            worker = self._idle.pop()
            if worker.sound():
                self._busy.add(worker)
                return [worker]
            self._lost(worker, at_work=False)
        return []

    def _none_free(self, patience_s: float) -> ExplainerError:
        if not self._busy:
            return NotReady("The processes of this version are being restarted; try again in a moment.")
        return Overloaded(f"No process of this version became free within {patience_s:g} s; try again later.")

    def _give_back(self, worker: Worker) -> None:
        sound = worker.sound()
        with self._changed:
            self._busy.discard(worker)
            if sound and not self._closed:
                self._idle.append(worker)
                self._changed.notify_all()  # the keeper waits here as well: one wake-up could go to it
                return
            if not self._closed:
                self._lost(worker, at_work=True)
                return
        worker.close()

    def _lost(self, worker: Worker, *, at_work: bool) -> None:
        """Note the end of a worker; the condition is held."""
        worker.close()
        self._health.died(worker.failure or worker.how(), worker.blame if at_work else min(worker.blame, KILLED))
        self._changed.notify_all()

    def _ended(self, worker: Worker) -> None:
        """The nursery reports that a worker has ended: one that was idle is replaced at once."""
        with self._changed:
            if worker in self._idle:
                self._idle.remove(worker)
                self._lost(worker, at_work=False)

    def _opened(self, order: LoadOrder) -> Worker:
        worker, self._report, self._isolation = opened(self._fork, order, self._settings.open_timeout_s)
        return worker

    def _admit(self, worker: Worker) -> None:
        worker.when_ended = self._ended
        with self._changed:
            self._health.opened()
            if self._closed:
                worker.close()
            elif worker.sound():
                self._idle.append(worker)
                self._changed.notify_all()
            else:
                self._lost(worker, at_work=True)

    def _keep(self) -> None:
        """Replace workers that have ended, until the pool is closed."""
        while self._due():
            try:
                self._admit(self._opened(self._again()))
            except ModelRefused as error:
                with self._changed:
                    self._health.refused(error.detail)
                    self._changed.notify_all()
            except ExplainerError as error:
                with self._changed:
                    blame = BLAMELESS if isinstance(error, NotReady) else OWN_DOING
                    self._health.died(f"it could not be opened again: {error.detail}", blame)
                    self._changed.notify_all()

    def _due(self) -> bool:
        """Wait until a worker is missing and the back-off is over; False when the pool is closed."""
        with self._changed:
            while not self._closed:
                alive = len(self._idle) + len(self._busy)
                if alive >= self._settings.workers_per_model:
                    self._changed.wait()
                elif (delay := self._health.delay()) > 0:
                    self._changed.wait(delay)
                else:
                    return True
            return False


def _ask_all(
    workers: list[Worker], questions: list[Frame], read: Callable[[Frame], list[T]], deadline: float
) -> list[T]:
    """Put every question before any answer is taken; hear every worker before the first error is raised."""
    failed: list[ExplainerError] = []
    asked: list[Worker] = []
    answers: list[T] = []
    for worker, question in zip(workers, questions, strict=True):
        with _collecting(failed):
            worker.put(question, deadline)
            asked.append(worker)
    for worker in asked:
        with _collecting(failed):
            answers += worker.understand(read, worker.take(deadline))
    if failed:
        raise failed[0]
    return answers


@contextlib.contextmanager
def _collecting(failed: list[ExplainerError]) -> Iterator[None]:
    try:
        yield
    except ExplainerError as error:
        failed.append(error)
