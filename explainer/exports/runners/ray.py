"""An existing Ray cluster (`ray://host:port`), or one of this machine for the time of the export (`ray:2`)."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from typing import Any

from explainer.errors import InvalidOption, WorkerDied
from explainer.exports.chunks import Chunk, Done
from explainer.exports.runners import Task, missing, workers_of

AHEAD = 2  # chunks for each processor of the cluster that are under way
AGAIN = 3  # times that Ray tries a chunk whose worker is lost


class Ray:
    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def run(self, task: Task, chunks: Iterator[Chunk]) -> Iterator[Done]:
        ray = self._ray
        explain = ray.remote(num_cpus=1, max_retries=AGAIN)(task_of)
        shared = ray.put(task)
        most = AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        under_way = [explain.remote(shared, chunk) for chunk in itertools.islice(chunks, most)]
        while under_way:
            ready, under_way = ray.wait(under_way, num_returns=1)
            try:
                done: Done = ray.get(ready[0])
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError) as error:
                raise WorkerDied(f"Ray lost its workers with one chunk again and again: {error}") from error
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            del ready
            under_way += [explain.remote(shared, chunk) for chunk in itertools.islice(chunks, 1)]
            yield done

    def close(self) -> None:
        self._ray.shutdown()


def task_of(task: Task, chunk: Chunk) -> Done:
    """Run the task that was put into Ray's store once."""
    return task(chunk)


def start(rest: str) -> Ray:
    try:
        import ray
    except ImportError:
        raise missing("ray", "ray") from None
    quiet: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    if not rest.startswith("//"):
        ray.init(address="local", num_cpus=workers_of(rest, os.cpu_count() or 1), **quiet)
        return Ray(ray)
    try:
        ray.init(address=f"ray:{rest}", logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InvalidOption(f"runner: no Ray cluster answers at {rest.lstrip('/')}: {error}.") from None
    return Ray(ray)
