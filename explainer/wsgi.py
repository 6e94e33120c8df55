"""The web front door: gunicorn and the app that each of its processes serves."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from explainer import logs
from explainer.api.cors import origins
from explainer.api.forwarded import networks
from explainer.app import create_app
from explainer.errors import ExplainerError
from explainer.listening.limits import Limits
from explainer.listening.tls import certificate_of
from explainer.listening.worker import listening
from explainer.monitoring.opening import meters_of
from explainer.settings import Settings
from explainer.usecases.distant import DistantServing
from explainer.wiring import furnish
from explainer.workers.dispatch.client import DistantPools
from explainer.workers.limits import end_with_parent

MOST_PROCESSES = 4


def application(settings: Settings, dispatcher: Path) -> Any:
    """Furnish the rooms around the dispatcher that listens at `dispatcher`, and build the app."""
    pools = DistantPools(dispatcher, patience_s=settings.queue_timeout_s)
    return create_app(furnish(settings, pools, meters_of(settings, "web")), DistantServing(pools))


class Lines(Logger):  # type: ignore[misc]
    """Gunicorn's lines go where all lines go; it writes none for a request, which has one already."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        logs.set_up(Settings.from_environment(), "web")


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn around a socket that listens already; modules are loaded before its processes are forked."""

    def __init__(self, settings: Settings, listener: int, dispatcher: Path) -> None:
        self._settings = settings
        self._listener = listener
        self._dispatcher = dispatcher
        self._certificate = certificate_of(settings)
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        chosen = {
            "bind": [f"fd://{self._listener}"],
            "worker_class": listening(Limits(body_bytes=settings.max_body_bytes), self._certificate),
            "certfile": settings.tls_certificate and str(settings.tls_certificate),  # for the scheme of addresses
            "keyfile": settings.tls_key and str(settings.tls_key),
            "forwarded_allow_ips": "",  # the app decides whose X-Forwarded-* it believes
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "workers": processes(settings),
            "threads": settings.threads,
            "timeout": 0,
            "graceful_timeout": round(settings.drain_s),
            "keepalive": 30,
            "loglevel": settings.log_level.lower(),
            "logger_class": Lines,
            "proc_name": "explainer",
            "control_socket_disable": True,  # since gunicorn 25
            "post_fork": lambda _, worker: end_with_parent(worker.ppid),
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return application(self._settings, self._dispatcher)


def processes(settings: Settings) -> int:
    """How many web processes there are: as set, or one for each core that this program may use, at most 4."""
    return settings.web_processes or min(MOST_PROCESSES, len(os.sched_getaffinity(0)))


def main() -> None:
    """Serve the listening socket that the supervisor hands over, until SIGTERM."""
    parser = argparse.ArgumentParser(prog="web")
    parser.add_argument("--listen", type=int, required=True, help="number of the listening socket")
    parser.add_argument("--dispatcher", type=Path, required=True, help="where the dispatcher listens")
    parser.add_argument("--parent", type=int, required=True, help="the process to end with")
    given = parser.parse_args()
    end_with_parent(given.parent)
    sys.argv = sys.argv[:1]  # gunicorn reads no arguments of ours
    try:
        settings = Settings.from_environment()
        logs.set_up(settings, "web")
        furnish(settings)  # what is wrong with the files is said once, before processes are forked
        certificate_of(settings)
        networks(settings.trusted_proxies)
        origins(settings.cors_origins)
    except ExplainerError as error:
        sys.exit(f"explainer: {error.title}: {error.detail}")
    gc.collect()
    gc.freeze()
    Server(settings, given.listen, given.dispatcher).run()


if __name__ == "__main__":
    main()
