"""Processes of this machine, by joblib and its loky backend."""

from __future__ import annotations

import os
from collections.abc import Iterator

from explainer.errors import WorkerDied
from explainer.exports.chunks import Chunk, Done
from explainer.exports.runners import Task, workers_of


class Joblib:
    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, task: Task, chunks: Iterator[Chunk]) -> Iterator[Done]:
        """A worker's libraries get one thread each; at most two chunks for each worker are under way."""
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            parallel = joblib.Parallel(
                self._workers,
                return_as="generator_unordered",
                pre_dispatch=2 * self._workers,
                batch_size=1,
                max_nbytes=None,
            )
            results = parallel(joblib.delayed(task)(chunk) for chunk in chunks)
            try:
                yield from results
            except TerminatedWorkerError as error:
                raise WorkerDied(f"A worker process ended while it explained: {error}") from error

    def close(self) -> None:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def start(rest: str) -> Joblib:
    return Joblib(workers_of(rest, os.cpu_count() or 1))
