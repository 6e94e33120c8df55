"""The door for web processes: the process that holds the workers and keeps them in step with the registry."""

from __future__ import annotations

import argparse
import signal
import socket
import sys

from explainer import logs
from explainer.errors import ExplainerError, NotReady
from explainer.monitoring.opening import meters_of
from explainer.records import OpenReport
from explainer.registry.store import Registry
from explainer.settings import Settings
from explainer.usecases.serving import Serving
from explainer.workers.dispatch.server import Dispatcher
from explainer.workers.dispatch.words import Health
from explainer.workers.limits import end_with_parent
from explainer.workers.pool import WorkerPools


class RegistryKeeper:
    """What the dispatcher knows of versions: which there are, and how they are served."""

    def __init__(self, registry: Registry, pools: WorkerPools, serving: Serving) -> None:
        self._registry = registry
        self._pools = pools
        self._serving = serving

    def opened(self, digest: str) -> OpenReport:
        for version in self._registry.versions():
            if version.digest == digest and version.retired_at is None:
                return self._serving.opened(version)
        raise NotReady("This version is not being served.")

    def health(self) -> Health:
        return Health(
            unready=tuple(self._serving.unready()),
            out_of_service=self._serving.out_of_service(),
            pools=self._pools.state(),
            processes=tuple(self._pools.processes()),
        )


def main() -> None:
    """Serve the listening socket that the supervisor hands over, until SIGTERM."""
    parser = argparse.ArgumentParser(prog="dispatcher")
    parser.add_argument("--listen", type=int, required=True, help="number of the listening socket")
    parser.add_argument("--parent", type=int, required=True, help="the process to end with")
    given = parser.parse_args()
    end_with_parent(given.parent)
    try:
        settings = Settings.from_environment()
        logs.set_up(settings, "dispatcher")
        pools = WorkerPools(settings, meters=meters_of(settings, "dispatcher"))
        pools.start()
        registry = Registry(settings)
    except ExplainerError as error:
        sys.exit(f"explainer: {error.title}: {error.detail}")
    serving = Serving(registry, pools)
    serving.start()
    listener = socket.socket(fileno=given.listen)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        Dispatcher(pools, RegistryKeeper(registry, pools, serving)).serve(listener)
    finally:
        serving.stop()
        pools.shutdown()


if __name__ == "__main__":
    main()
