"""The workers of one served version: a thread minds each, gives it what is next in line, and sees it replaced."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from explainer.errors import ExplainerError, ModelFailed, ModelRefused, NotReady, Overloaded
from explainer.records import ExplainOptions, Explanation, FloatArray, Interactions, LoadOrder, OpenReport
from explainer.settings import Settings
from explainer.workers import codec
from explainer.workers.answers import checked_explanations, checked_interactions, checked_predictions
from explainer.workers.asking import Asking, Job, Task, question
from explainer.workers.client import Worker, opened, within
from explainer.workers.floor import Floor
from explainer.workers.frames import Frame, FrameError
from explainer.workers.health import BLAMELESS, KILLED, OWN_DOING, Health
from explainer.workers.line import Line
from explainer.workers.meters import UNMEASURED, PoolMeters, WhyEnded, why_ended
from explainer.workers.parts import split
from explainer.workers.size import Size

T = TypeVar("T")
ANYBODY = Asking()
MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class PoolState:
    """How a version is served. `isolation` says what holds its workers in, `out_of_service` why it does not answer.

    `waiting` counts the questions that wait for a worker, `pids` are the workers' processes.
    """

    wanted: int
    alive: int
    busy: int
    restarts: int
    last_failure: str | None
    out_of_service: str | None
    isolation: tuple[str, ...]
    waiting: int = 0
    pids: tuple[int, ...] = ()


class VersionPool:
    """Keeps the workers of one version busy with what is asked of it.

    There are `settings.workers_per_model`; with 0 there is one, and as questions wait there are more, up to one for
    each core, of which those that have had nothing to do for a while go again.
    """

    def __init__(
        self,
        order: LoadOrder,
        settings: Settings,
        fork: Callable[[], Worker],
        again: Callable[[], LoadOrder] | None = None,
        meters: PoolMeters = UNMEASURED,
    ) -> None:
        """`again` gives the order anew, its files checked, for every worker after the first."""
        self._order = order
        self._meters = meters
        self._model, self._version = order.manifest.name, order.manifest.version
        self._again = again or (lambda: order)
        self._settings = settings
        self._fork = fork
        lock = threading.Lock()
        self._changed = threading.Condition(lock)  # the keeper waits here
        self._floor = Floor(
            lock,
            Line(longest=settings.queue_length, longest_of_one=settings.queue_per_principal),
            self._none_free,
        )
        self._fewest = settings.workers_per_model or 1
        self._most = settings.workers_per_model or min(MOST_WORKERS, len(os.sched_getaffinity(0)))
        self._wanted = self._fewest
        self._alive: dict[Worker, Size] = {}
        self._outgrown: set[Worker] = set()  # too large: each goes when another one has taken its place
        self._health = Health()
        self._closed = False
        self._restarts = 0
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

    def predict(self, rows: FloatArray, asking: Asking = ANYBODY) -> FloatArray:
        """Return finite predictions of shape (rows, outputs)."""
        found = self._asked("predict", rows, None, asking, codec.read_predictions)
        return checked_predictions(found, len(rows), self.report.outputs)

    def explain(
        self, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Explanation, ...]]:
        """Return a tuple of explanations for each row."""
        if len(rows) == 0:
            return []
        found = self._asked("explain", rows, options, asking, codec.read_explanations)
        return checked_explanations(found, len(rows), rows.shape[1], self.report.outputs)

    def interact(
        self, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Interactions, ...]]:
        """Return a tuple of interaction matrices for each row."""
        if len(rows) == 0:
            return []
        found = self._asked("interact", rows, options, asking, codec.read_interactions)
        return checked_interactions(found, len(rows), rows.shape[1], self.report.outputs)

    def submit(
        self,
        kind: str,
        rows: FloatArray,
        options: ExplainOptions | None,
        asking: Asking,
        done: Callable[[Job], None],
    ) -> Job:
        """Have a question answered: `done` is called, in whatever thread, when its answer is there or it has failed.

        Raises NotReady when the version is not in service, Overloaded or TooManyRequests when too many wait.
        """
        group, rows = question(kind, options, asking, rows)
        patience_s = self._settings.queue_timeout_s
        if options is not None and options.deadline_ms is not None:
            patience_s = min(patience_s, options.deadline_ms / 1000)
        with self._changed:
            if self._closed:
                raise NotReady("This version has been taken out of service.")
            if why := self._health.out_of_service:
                raise _not_in_service(why)
            workers = len(self._alive)
        job = Job(rows, group, asking, done, patience_s)
        self._floor.submit(job, workers)
        self._meters.queued(self._model, self._floor.line.questions())
        self._grow()
        return job

    def cancel(self, job: Job) -> None:
        self._floor.cancel(job)

    def state(self) -> PoolState:
        with self._changed:
            return PoolState(
                wanted=self._wanted,
                alive=len(self._alive),
                busy=len(self._floor.running),
                restarts=self._restarts,
                last_failure=self._health.last_failure,
                out_of_service=self._health.out_of_service,
                isolation=self._isolation,
                waiting=self._floor.line.questions(),
                pids=tuple(worker.pid for worker in self._alive if worker.pid is not None),
            )

    def close(self) -> None:
        """End idle workers now and busy ones when they have answered; whoever waits is told NotReady."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._floor.work.notify_all()
        self._floor.fail_waiting(NotReady("This version has been taken out of service."))
        self._floor.close()

    def _asked(
        self,
        kind: str,
        rows: FloatArray,
        options: ExplainOptions | None,
        asking: Asking,
        read: Callable[[Frame], T],
    ) -> T:
        answered = threading.Event()
        job = self.submit(kind, rows, options, asking, lambda _: answered.set())
        answered.wait()
        return understood(job, read)

    def _none_free(self, job: Job) -> ExplainerError:
        if not self._floor.running:
            return NotReady("The processes of this version are being restarted; try again in a moment.")
        return Overloaded(f"No process of this version became free within {job.patience_s:g} s; try again later.")

    def _mind(self, worker: Worker) -> None:
        """Have one worker answer what is next in line, until it has ended or is no longer wanted."""
        while tasks := self._next(worker):
            self._work(worker, tasks)
        with self._changed:
            why = self._health.out_of_service
        if why:
            self._meters.in_service(self._model, self._version, False)
            self._floor.fail_waiting(_not_in_service(why))

    def _next(self, worker: Worker) -> list[Task]:
        """Wait for the rows of the next call; none when the worker is to go."""
        with self._changed:
            while worker in self._alive:
                if self._closed or (worker in self._outgrown and self._enough()):
                    worker.close()
                    self._gone(worker)
                elif not worker.sound():
                    self._lost(worker, at_work=False)
                elif tasks := self._floor.take(worker, len(self._alive)):
                    return tasks
                elif not self._floor.work.wait(self._settings.worker_idle_s) and self._wanted > self._fewest:
                    self._wanted -= 1
                    worker.close()
                    self._gone(worker)
            self._floor.work.notify()  # a wake-up that came to this thread was meant for another
            return []

    def _work(self, worker: Worker, tasks: list[Task]) -> None:
        group, began = tasks[0].group, time.monotonic()
        self._meters.waited(self._model, tasks[0].job.waited())
        self._meters.queued(self._model, self._floor.line.questions())
        try:
            frame = group.frame(_rows(tasks), tasks[0].job.waited())
            answer = worker.ask(frame, within(self._settings.worker_timeout_s))
            answers = worker.understand(lambda frame: split(frame, len(tasks)), answer)
        except ExplainerError as error:
            self._note(worker, at_work=True)
            self._floor.failed(worker, error)
        else:
            seconds = time.monotonic() - began
            self._meters.batch(self._model, len(tasks), seconds)
            self._floor.answered(worker, answers, seconds)
            self._note(worker, at_work=False)

    def _note(self, worker: Worker, *, at_work: bool) -> None:
        """After a call: is the worker sound still, and has it outgrown its place? `at_work`: the call failed."""
        with self._changed:
            if not self._closed and not worker.sound():
                self._lost(worker, at_work=at_work)
            elif worker not in self._outgrown and self._alive[worker].outgrown():
                self._outgrown.add(worker)
                self._restarts += 1
                self._changed.notify_all()

    def _enough(self) -> bool:
        return len(self._alive) - len(self._outgrown) >= self._wanted

    def _grow(self) -> None:
        """Want one worker more when rows wait although all there are have work."""
        with self._changed:
            busy = len(self._floor.running)
            if self._wanted < self._most and busy == self._wanted == len(self._alive) and len(self._floor.line):
                self._wanted += 1
                self._changed.notify_all()

    def _gone(self, worker: Worker, why: WhyEnded | None = None) -> None:
        if self._alive.pop(worker, None) is not None and worker.pid is not None:
            self._meters.worker_ended(self._model, self._version, worker.pid, why)
        self._outgrown.discard(worker)
        self._changed.notify_all()

    def _lost(self, worker: Worker, *, at_work: bool) -> None:
        """Note the end of a worker; the lock is held."""
        worker.close()
        self._restarts += 1
        self._gone(worker, why_ended(worker))
        self._health.died(worker.failure or worker.how(), worker.blame if at_work else min(worker.blame, KILLED))

    def _ended(self, worker: Worker) -> None:
        """The nursery reports that a worker has ended: the thread that minds it is to notice at once."""
        with self._changed:
            self._floor.work.notify_all()

    def _opened(self, order: LoadOrder) -> Worker:
        worker, self._report, self._isolation = opened(self._fork, order, self._settings.open_timeout_s)
        return worker

    def _admit(self, worker: Worker) -> None:
        worker.when_ended = self._ended
        with self._changed:
            self._health.opened()
            self._meters.in_service(self._model, self._version, True)
            if worker.pid is not None:
                self._meters.worker_started(self._model, self._version, worker.pid)
            self._alive[worker] = Size(worker.pid, self._settings.worker_recycle_mb)
            self._floor.work.notify_all()  # one that was outgrown may go now
        threading.Thread(
            target=self._mind, args=(worker,), name=f"minder of worker {worker.number}", daemon=True
        ).start()

    def _keep(self) -> None:
        """Replace workers that have ended, until the pool is closed."""
        while self._due():
            try:
                self._admit(self._opened(self._again()))
            except ExplainerError as error:
                self._not_opened(error)

    def _not_opened(self, error: ExplainerError) -> None:
        """Note that a worker could not be opened again; who waits is told when that ends the version's service."""
        with self._changed:
            if isinstance(error, ModelRefused):
                self._health.refused(error.detail)
            else:
                blame = BLAMELESS if isinstance(error, NotReady) else OWN_DOING
                self._health.died(f"it could not be opened again: {error.detail}", blame)
            why = self._health.out_of_service
        if why:
            self._meters.in_service(self._model, self._version, False)
            self._floor.fail_waiting(_not_in_service(why))

    def _due(self) -> bool:
        """Wait until a worker is missing and the back-off is over; False when the pool is closed."""
        with self._changed:
            while not self._closed:
                if self._enough():
                    self._changed.wait()
                elif (delay := self._health.delay()) > 0:
                    self._changed.wait(delay)
                else:
                    return True
            return False


def understood(job: Job, read: Callable[[Frame], T]) -> T:
    """Return what `read` makes of a job's answer; workers whose part of it cannot be read are killed: ModelFailed."""
    try:
        return read(job.answer())
    except FrameError as problem:
        for worker in job.workers:
            worker.spoil(f"it broke the protocol ({problem})")
        raise ModelFailed(f"The model's process answered what is not an answer, and was ended. {problem}") from None


def _rows(tasks: list[Task]) -> FloatArray:
    return np.array([task.row for task in tasks])


def _not_in_service(why: str) -> NotReady:
    return NotReady(f"This version is out of service: {why}.")
