"""Who is next: small questions before large ones, callers in turn, bulk last; and how long one would have to wait."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final

from explainer.errors import Overloaded, TooManyRequests
from explainer.workers.asking import OVER, RUNNING, WAITING, Group, Job, Task

SMALL: Final = 8  # rows up to which a question goes before larger ones
TURNS: Final = (4, 16)  # after so many turns of others, a large question (bulk) that waits has one
CALL_S: Final = 0.05  # a call is filled with rows up to about this long, so that nobody waits long behind it
UNKNOWN: Final = 4  # rows in a call of a group that was never timed
MOST: Final = 256  # rows in one call
REMEMBERED: Final = 512  # groups whose time for a row is remembered


class Costs:
    """Seconds a row takes, by group: a moving average, the first measurement taken whole."""

    def __init__(self) -> None:
        self._seconds: OrderedDict[Group, float] = OrderedDict()

    def of(self, group: Group) -> float | None:
        return self._seconds.get(group)

    def note(self, group: Group, rows: int, seconds: float) -> None:
        each, before = seconds / rows, self._seconds.get(group)
        self._seconds[group] = each if before is None else 0.8 * before + 0.2 * each
        self._seconds.move_to_end(group)
        if len(self._seconds) > REMEMBERED:
            self._seconds.popitem(last=False)


class Line:
    """Tasks that wait for a worker; whoever uses it holds the pool's lock."""

    def __init__(self, *, longest: int, longest_of_one: int) -> None:
        """At most `longest` questions wait, at most `longest_of_one` of them of one principal."""
        self.costs = Costs()
        self._longest = longest
        self._longest_of_one = longest_of_one
        self._lanes: tuple[OrderedDict[str, deque[Task]], ...] = (OrderedDict(), OrderedDict(), OrderedDict())
        self._passed = [0, 0, 0]
        self._groups: dict[Group, deque[Task]] = {}
        self._waiting: dict[Group, int] = {}
        self._jobs: dict[Job, int] = {}  # jobs of which tasks wait, and how many

    def __len__(self) -> int:
        """How many rows wait."""
        return sum(self._waiting.values())

    def questions(self) -> int:
        """How many questions wait, wholly or in part."""
        return len(self._jobs)

    def jobs(self) -> list[Job]:
        return list(self._jobs)

    def wait_s(self, workers: int) -> float:
        """How long what waits now will take, as far as it is known."""
        known = ((self.costs.of(group), count) for group, count in self._waiting.items())
        return sum((each or 0.0) * count for each, count in known) / max(1, workers)

    def admit(self, job: Job, workers: int) -> None:
        """Raises Overloaded or TooManyRequests, with the seconds after which to try again, instead of a long wait."""
        wait = 0.0 if job.asking.bulk else self.wait_s(workers)
        again = max(1, math.ceil(wait))
        if not job.asking.bulk and len(self._jobs) >= self._longest:
            raise Overloaded(f"{len(self._jobs)} requests wait for this model; try again later.", retry_after_s=again)
        own = sum(1 for other in self._jobs if other.asking.principal == job.asking.principal)
        if own >= self._longest_of_one:
            raise TooManyRequests(
                f"{own} requests of {job.asking.principal} wait for this model already; send fewer at once.",
                retry_after_s=again,
            )
        if wait > job.patience_s:
            raise Overloaded(
                f"Requests wait about {wait:.2g} s for this model at present, longer than the {job.patience_s:g} s "
                "that this one may; try again later.",
                retry_after_s=again,
            )

    def put(self, task: Task) -> None:
        lane = self._lanes[_lane(task.job)]
        lane.setdefault(task.job.asking.principal, deque()).append(task)
        self._groups.setdefault(task.group, deque()).append(task)
        task.state = WAITING
        self._waiting[task.group] = self._waiting.get(task.group, 0) + 1
        self._jobs[task.job] = self._jobs.get(task.job, 0) + 1

    def take(self, workers: int) -> list[Task]:
        """Return the tasks of the next call, all of one group, in the order in which they came; none when none wait."""
        first = self._first()
        if first is None:
            return []
        group, same = first.group, self._same(first.group)
        taken = [self._left(first, RUNNING)]
        for task in same:
            if len(taken) >= self._fill(group, len(taken), workers):
                break
            taken.append(self._left(task, RUNNING))
        return taken

    def drop(self, task: Task) -> None:
        """Take a task that waits out of the line."""
        if task.state is WAITING:
            self._left(task, OVER)

    def _fill(self, group: Group, taken: int, workers: int) -> int:
        """How many rows one call may have, so that other workers have their part and nobody waits long behind it."""
        waiting = taken + self._waiting.get(group, 0)
        part = math.ceil(waiting / max(1, workers))
        if group.alone:
            return part
        each = self.costs.of(group)
        most = UNKNOWN if each is None else max(1, min(MOST, int(CALL_S / max(each, 1e-6))))
        return min(part, most)

    def _same(self, group: Group) -> Iterator[Task]:
        """Yield the tasks of a group from the front of its queue, letting go of those that wait no more."""
        queue = self._groups.get(group, deque())
        while queue:
            if queue[0].state is not WAITING:
                queue.popleft()
                continue
            yield queue[0]

    def _first(self) -> Task | None:
        waiting = [number for number in range(3) if self._front(number) is not None]
        if not waiting:
            return None
        chosen = waiting[0]
        for number in waiting[1:]:
            self._passed[number] += 1
            if self._passed[number] > TURNS[number - 1]:
                chosen = number
        self._passed[chosen] = 0
        principal, queue = next(iter(self._lanes[chosen].items()))
        self._lanes[chosen].move_to_end(principal)
        return queue.popleft()

    def _front(self, number: int) -> Task | None:
        """The first task that waits in a lane; what waits no more is let go of."""
        lane = self._lanes[number]
        while lane:
            principal, queue = next(iter(lane.items()))
            while queue and queue[0].state is not WAITING:
                queue.popleft()
            if queue:
                return queue[0]
            del lane[principal]
        return None

    def _left(self, task: Task, state: str) -> Task:
        task.state = state
        self._waiting[task.group] -= 1
        if not self._waiting[task.group]:
            del self._waiting[task.group]
            self._groups.pop(task.group, None)
        self._jobs[task.job] -= 1
        if not self._jobs[task.job]:
            del self._jobs[task.job]
        return task


def _lane(job: Job) -> int:
    if job.asking.bulk:
        return 2
    return 0 if len(job.rows) <= SMALL else 1
