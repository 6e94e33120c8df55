"""Where questions wait, are worked on and are answered: batching, single flight, and whose failure is whose."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count

from explainer.errors import Cancelled, ExplainerError
from explainer.workers.asking import OVER, RUNNING, WAITING, Job, Task
from explainer.workers.client import Worker
from explainer.workers.expiry import Expiry
from explainer.workers.frames import Frame
from explainer.workers.line import Line


class Floor:
    """Safe for threads: every method takes the lock that is handed in, which the pool's own state is guarded by too.

    Rows of one group are answered in one call, whoever asked for them; a row that is being computed already is waited
    for. When a call fails that held rows of several jobs, each job's rows are asked for again by themselves, so that
    one caller's row fails nobody else.
    """

    def __init__(self, lock: threading.Lock, line: Line, none_free: Callable[[Job], ExplainerError]) -> None:
        self.line = line
        self.running: dict[Worker, list[Task]] = {}
        self.work = threading.Condition(lock)
        self._flights: dict[bytes, Task] = {}
        self._alone = count(1)
        self._none_free = none_free
        self._expiry = Expiry(self._expired, "patience")

    def submit(self, job: Job, workers: int) -> None:
        """Have a job answered; raises Overloaded or TooManyRequests when it would have to wait too long."""
        with self.work:
            self.line.admit(job, workers)
            added = sum(self._add(job, place) for place in range(len(job.rows)))
            self.work.notify(max(1, added))
        self._expiry.watch(job)

    def take(self, worker: Worker, workers: int) -> list[Task]:
        """Give a worker the rows of its next call; none when none wait. The lock is held."""
        while tasks := self.line.take(workers):
            wanted = [task for task in tasks if task.wanted()]
            for task in tasks:
                if task not in wanted:
                    self._over(task)
            if wanted:
                self.running[worker] = wanted
                return wanted
        return []

    def answered(self, worker: Worker, answers: Sequence[Frame], seconds: float) -> None:
        """Give the rows of a worker's call their answers."""
        with self.work:
            tasks = self.running.pop(worker)
            self.line.costs.note(tasks[0].group, len(tasks), seconds)
            done = []
            for task, answer in zip(tasks, answers, strict=True):
                self._over(task)
                done += [job for job, place in task.waiters if job.give(place, answer, worker)]
        _tell(done)

    def failed(self, worker: Worker, error: ExplainerError) -> None:
        """A worker's call failed: so does its job; where there are several, each is tried by itself."""
        with self.work:
            tasks = self.running.pop(worker)
            waiting = [(task, job, place) for task in tasks for job, place in task.waiters if not job.over]
            jobs = list(dict.fromkeys(job for _, job, _ in waiting))
            for task in tasks:
                self._over(task)
            done: list[Job] = []
            if len(jobs) == 1 and not isinstance(error, Cancelled):
                jobs[0].fail(error)
                done = jobs
            else:
                self._ask_again(waiting)
        _tell(done)

    def cancel(self, job: Job) -> None:
        """Nobody waits for this job any more: what only it wanted is dropped, or stopped where it is being computed."""
        with self.work:
            if not job.fail(Cancelled("Whoever asked has gone.")):
                return
            self._let_go(job)
            for worker, tasks in self.running.items():
                asked = any(waiter is job for task in tasks for waiter, _ in task.waiters)
                if asked and not any(task.wanted() for task in tasks):
                    worker.stop()

    def fail_waiting(self, error: ExplainerError) -> None:
        """Fail every job of which a row waits."""
        with self.work:
            done = [job for job in self.line.jobs() if job.fail(error)]
            for job in done:
                self._let_go(job)
        _tell(done)

    def close(self) -> None:
        self._expiry.close()

    def _add(self, job: Job, place: int) -> int:
        """Have one row answered; 1 when it is new, 0 when it is asked for already."""
        key = job.asking.keys[place] if job.asking.keys and not job.group.alone else None
        known = None if key is None else self._flights.get(key)
        if known is not None and (known.state is RUNNING or known.job.asking.bulk <= job.asking.bulk):
            known.waiters.append((job, place))
            job.tasks.append(known)
            return 0
        self._put(Task(job.rows[place], job.group, key, job), [(job, place)])
        return 1

    def _put(self, task: Task, waiters: Iterable[tuple[Job, int]]) -> None:
        task.waiters.extend(waiters)
        for job, _ in task.waiters:
            job.tasks.append(task)
        if task.key is not None:
            self._flights[task.key] = task
        self.line.put(task)

    def _ask_again(self, waiting: Iterable[tuple[Task, Job, int]]) -> None:
        groups: dict[Job, int] = {}
        for task, job, place in waiting:
            alone = groups.setdefault(job, next(self._alone))
            self._put(Task(task.row, replace(task.group, alone=-alone), None, job), [(job, place)])
        self.work.notify_all()

    def _let_go(self, job: Job) -> None:
        for task in job.tasks:
            if task.state is WAITING and not task.wanted():
                self.line.drop(task)
                self._over(task)

    def _over(self, task: Task) -> None:
        task.state = OVER
        if task.key is not None and self._flights.get(task.key) is task:
            del self._flights[task.key]

    def _expired(self, job: Job) -> float | None:
        with self.work:
            if any(task.state is RUNNING for task in job.tasks):
                return time.monotonic() + job.patience_s
            if (again := job.touched + job.patience_s) > time.monotonic():
                return again
            failed = job.fail(self._none_free(job))
            self._let_go(job)
        _tell([job] if failed else [])
        return None


def _tell(jobs: Iterable[Job]) -> None:
    for job in jobs:
        job.done(job)
