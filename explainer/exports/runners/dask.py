"""An existing Dask cluster (`dask://host:port`), or one of this machine for the time of the export (`dask:2`)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

from explainer.errors import InvalidOption, WorkerDied
from explainer.exports.chunks import Chunk, Done
from explainer.exports.runners import Task, missing, workers_of

AHEAD = 2  # chunks for each thread of the cluster that are under way
CONNECT_S = 20


class Dask:
    def __init__(self, client: Any, cluster: Any = None) -> None:
        self._client, self._cluster = client, cluster

    def run(self, task: Task, chunks: Iterator[Chunk]) -> Iterator[Done]:
        """A chunk whose worker is lost is given to another one by Dask itself, until its `allowed-failures`."""
        import distributed
        from distributed.scheduler import KilledWorker

        threads = sum(self._client.nthreads().values()) or 1
        library: Any = distributed  # its functions have no types
        under_way = library.as_completed()
        for chunk in itertools.islice(chunks, AHEAD * threads):
            under_way.add(self._client.submit(task, chunk, pure=False))
        for future in under_way:
            try:
                done: Done = future.result()
            except KilledWorker as error:
                raise WorkerDied(f"Dask lost its workers with one chunk again and again: {error}") from error
            future.release()
            for chunk in itertools.islice(chunks, 1):
                under_way.add(self._client.submit(task, chunk, pure=False))
            yield done

    def close(self) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def start(rest: str) -> Dask:
    try:
        import distributed
    except ImportError:
        raise missing("dask[distributed]", "dask") from None
    library: Any = distributed
    if not rest.startswith("//"):
        workers = workers_of(rest, os.cpu_count() or 1)
        cluster = library.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        )
        return Dask(library.Client(cluster), cluster)
    try:
        return Dask(library.Client(f"tcp:{rest}", timeout=CONNECT_S))
    except (OSError, TimeoutError, ValueError) as error:
        raise InvalidOption(f"runner: no Dask scheduler answers at {rest.lstrip('/')}: {error}.") from None
