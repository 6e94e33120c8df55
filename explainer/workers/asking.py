"""What is asked of a version's workers, for whom, and what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from explainer.errors import ExplainerError
from explainer.records import ExplainOptions, FloatArray
from explainer.workers import codec
from explainer.workers.frames import Frame
from explainer.workers.parts import join

if TYPE_CHECKING:
    from explainer.workers.client import Worker


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom the workers are asked.

    `bulk` waits behind everybody else. `keys` names what each row's answer is, so that what is being computed already
    is not computed again; none for an answer that a clock decides. `client` is the connection of whoever waits: the
    work is dropped when it is closed from there.
    """

    principal: str = "local"
    bulk: bool = False
    keys: tuple[bytes, ...] = ()
    client: object | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one group may be evaluated in one call: the same kind of question with the same settings.

    A question with a deadline keeps to itself: what is left of its time is its own.
    """

    kind: str
    options: ExplainOptions | None
    alone: int = 0

    def frame(self, rows: FloatArray, waited_s: float) -> Frame:
        """The question about `rows`; of a deadline remains what has not passed."""
        if self.options is None:
            return codec.predict_frame(rows)
        options = self.options
        if options.deadline_ms is not None:
            options = replace(options, deadline_ms=max(1, round(options.deadline_ms - waited_s * 1000)))
        return codec.explain_frame(rows, options) if self.kind == "explain" else codec.interact_frame(rows, options)


class Task:
    """One row that is to be answered, and every job that waits for it."""

    __slots__ = ("answer", "group", "job", "key", "row", "state", "waiters")

    def __init__(self, row: FloatArray, group: Group, key: bytes | None, job: Job) -> None:
        self.row = row
        self.group = group
        self.key = key
        self.job = job  # who asked first: its principal and size say when this is its turn
        self.waiters: list[tuple[Job, int]] = []
        self.state = WAITING

    def wanted(self) -> bool:
        """Whether anybody waits for it still."""
        return any(not job.over for job, _ in self.waiters)


WAITING, RUNNING, OVER = "waiting", "running", "over"


@dataclass(eq=False, slots=True)
class Job:
    """One question of one caller; `done` is called once, by whatever thread answered its last row or failed it."""

    rows: FloatArray
    group: Group
    asking: Asking
    done: Callable[[Job], None]
    patience_s: float
    began: float = field(default_factory=time.monotonic)
    touched: float = field(default_factory=time.monotonic)  # when a row of it was last answered
    error: ExplainerError | None = None
    over: bool = False
    workers: set[Worker] = field(default_factory=set)
    tasks: list[Task] = field(default_factory=list)
    _answers: list[Frame | None] = field(default_factory=list)
    _missing: int = 0

    def __post_init__(self) -> None:
        self._missing = len(self.rows)
        self._answers = [None] * self._missing

    def give(self, place: int, answer: Frame, worker: Worker) -> bool:
        """Take one row's answer; True when it was the last that was missing."""
        if self.over:
            return False
        self.workers.add(worker)
        self.touched = time.monotonic()
        self._answers[place] = answer
        self._missing -= 1
        self.over = self._missing == 0
        return self.over

    def fail(self, error: ExplainerError) -> bool:
        """Fail it; True when it had not ended before."""
        if self.over:
            return False
        self.error, self.over = error, True
        return True

    def answer(self) -> Frame:
        """The answers of all rows in their order; raises what failed it."""
        if self.error is not None:
            raise self.error
        return join([answer for answer in self._answers if answer is not None])

    def waited(self) -> float:
        return time.monotonic() - self.began


def question(kind: str, options: ExplainOptions | None, asking: Asking, rows: FloatArray) -> tuple[Group, FloatArray]:
    """The group of a question and its rows, contiguous; one with a deadline is in a group of its own."""
    timed = options is not None and options.deadline_ms is not None
    group = Group(kind, options, time.monotonic_ns() if timed else 0)
    return group, np.ascontiguousarray(rows, dtype=np.float64)
