"""The process for work that nobody waits for: export jobs, the extraction meter, alerts, records whose time is over."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

from explainer import logs
from explainer.errors import ExplainerError
from explainer.exports.holders import this_process
from explainer.monitoring.alerts import Outbox
from explainer.monitoring.alerts_sending import read_channels
from explainer.monitoring.opening import meters_of
from explainer.receipts.retention import Retention
from explainer.records import Principal
from explainer.settings import Settings
from explainer.usecases.alerting import Lookout
from explainer.usecases.distant import DistantServing
from explainer.usecases.exports_run import Exporter
from explainer.usecases.extraction import Judge
from explainer.usecases.retention import sweep
from explainer.usecases.rooms import Caller, Rooms
from explainer.wiring import furnish
from explainer.workers.dispatch.client import DistantPools
from explainer.workers.limits import end_with_parent

NICE = 10
LOOK_S = 0.5
JUDGED_EVERY_S = 20.0
AFTER_TROUBLE_S = 5.0
SWEPT_EVERY_S = 3600.0

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
        judge = Judge(rooms, DistantServing(pools))
        lookout = _lookout(rooms, DistantServing(pools))
    except ExplainerError as error:
        sys.exit(f"explainer: {error.title}: {error.detail}")
    threading.Thread(target=judging, args=(judge, stop), name="extraction-meter", daemon=True).start()
    threading.Thread(target=sweeping, args=(rooms, stop), name="retention", daemon=True).start()
    if lookout is not None:
        threading.Thread(target=lookout.run, args=(stop,), name="alerts", daemon=True).start()
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


def judging(judge: Judge, stop: threading.Event) -> None:
    """Read the extraction meter now and then."""
    while not stop.wait(JUDGED_EVERY_S):
        try:
            judge.turn()
        except ExplainerError as error:
            log.error("extraction meter: %s: %s", error.title, error.detail)


def sweeping(rooms: Rooms, stop: threading.Event) -> None:
    """Once an hour, remove receipts whose period is over."""
    while not stop.wait(SWEPT_EVERY_S):
        try:
            if Retention(rooms.receipts).periods():
                house = Principal("local:house", "local", "local", "house")
                sweep(rooms, Caller(house, uuid.uuid4().hex, "house"), datetime.now(UTC))
        except ExplainerError as error:
            log.error("retention: %s: %s", error.title, error.detail)


def _lookout(rooms: Rooms, serving: DistantServing) -> Lookout | None:
    """Who watches for what people are to be told at once; None where nobody is to be told."""
    channels = read_channels(rooms.settings.alerts)
    if not channels:
        return None
    return Lookout(rooms, Outbox(rooms.settings.var / "alerts.db"), channels, serving.out_of_service)


if __name__ == "__main__":
    main()
