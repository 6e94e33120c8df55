"""Real nurseries for the tests of this folder: one that closes workers in, one that does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explainer.settings import Settings
from explainer.workers.pool import WorkerPools
from tests.workers.fakes import OPENER

SETTINGS = Settings(worker_timeout_s=2, open_timeout_s=60, queue_timeout_s=20, worker_memory_mb=512)


@pytest.fixture(scope="session")
def pools() -> Iterator[WorkerPools]:
    pools = WorkerPools(SETTINGS, opener=OPENER)
    pools.start()
    yield pools
    pools.shutdown()


@pytest.fixture(scope="session")
def open_pools() -> Iterator[WorkerPools]:
    """Workers without a sandbox, as on a kernel that has none."""
    pools = WorkerPools(SETTINGS, opener=OPENER, sandbox=False)
    yield pools
    pools.shutdown()
