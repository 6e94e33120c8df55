"""Which versions have workers, as a web process knows it: the dispatcher keeps them, and is asked."""

from __future__ import annotations

import threading
import time
from typing import Final

from explainer.errors import NotReady
from explainer.records import ModelVersion, OpenReport
from explainer.workers.dispatch.client import DistantPools
from explainer.workers.dispatch.words import Health
from explainer.workers.version import PoolState

FRESH_S: Final = 0.25  # how long what the dispatcher said of itself is taken for true


class DistantServing:
    """What `Serving` knows, asked of the dispatcher."""

    def __init__(self, pools: DistantPools) -> None:
        self._pools = pools
        self._guard = threading.Lock()
        self._health: Health | None = None
        self._asked = 0.0

    def opened(self, version: ModelVersion) -> OpenReport:
        return self._pools.report(version.digest)

    def unready(self) -> list[str]:
        try:
            return list(self._now().unready)
        except NotReady as error:
            return [error.detail]

    def out_of_service(self) -> dict[str, str]:
        return self._now().out_of_service

    def pools(self) -> dict[str, PoolState]:
        return self._now().pools

    def _now(self) -> Health:
        with self._guard:
            if self._health is None or time.monotonic() - self._asked > FRESH_S:
                self._health = self._pools.health()
                self._asked = time.monotonic()
            return self._health
