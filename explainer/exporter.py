"""The door for exports: the process that runs the service's export jobs, behind everybody who waits for an answer."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from explainer import logs
from explainer.errors import ExplainerError
from explainer.exports.holders import this_process
from explainer.monitoring.opening import meters_of
from explainer.settings import Settings
from explainer.usecases.distant import DistantServing
from explainer.usecases.exports_run import Exporter
from explainer.wiring import furnish
from explainer.workers.dispatch.client import DistantPools
from explainer.workers.limits import end_with_parent

NICE = 10
LOOK_S = 0.5
AFTER_TROUBLE_S = 5.0

log = logging.getLogger(__name__)


def main() -> None:
    """Run exports until SIGTERM, which is heeded after the chunk that is under way."""
    parser = argparse.ArgumentParser(prog="exporter")
    parser.add_argument("--dispatcher", type=Path, required=True, help="where the dispatcher listens")
    parser.add_argument("--parent", type=int, required=True, help="the process to end with")
    given = parser.parse_args()
    end_with_parent(given.parent)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.nice(NICE)
    try:
        settings = Settings.from_environment()
        logs.set_up(settings, "exports")
        pools = DistantPools(given.dispatcher, patience_s=settings.queue_timeout_s)
        rooms = furnish(settings, pools, meters_of(settings, "exports"))
        exporter = Exporter(rooms, DistantServing(pools), this_process(), stop.is_set)
    except ExplainerError as error:
        sys.exit(f"explainer: {error.title}: {error.detail}")
    run(exporter, stop)


def run(exporter: Exporter, stop: threading.Event) -> None:
    """Take one export after the other; trouble with the files is waited out."""
    while not stop.is_set():
        try:
            if not exporter.turn():
                stop.wait(LOOK_S)
        except ExplainerError as error:
            log.error("exports: %s: %s", error.title, error.detail)
            stop.wait(AFTER_TROUBLE_S)


if __name__ == "__main__":
    main()
