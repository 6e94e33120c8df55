"""The process that runs exports: it works until it is told to stop, and waits trouble out."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from explainer.errors import StorageFailed
from explainer.exporter import run
from explainer.exports.holders import this_process
from explainer.usecases.exports import Rows, lines_of, submit
from explainer.usecases.exports_room import exports_of
from explainer.usecases.exports_run import Exporter
from explainer.usecases.exports_spec import ExportAsk
from tests.house import House
from tests.registry.folders import ROW


def submitted(house: House, rows: int) -> str:
    return submit(house.rooms, house.caller(), ExportAsk("credit", chunk_rows=1), Rows(lines_of([ROW] * rows))).id


def test_it_runs_what_comes_until_it_is_stopped(house: House) -> None:
    """Exports that are submitted while it runs are done; then it ends when told to."""
    house.register()
    stop = threading.Event()
    exporter = Exporter(house.rooms, house.serving, this_process(), stop.is_set)
    thread = threading.Thread(target=run, args=(exporter, stop))
    thread.start()
    job = submitted(house, 3)
    store, deadline = exports_of(house.rooms).store, time.monotonic() + 60
    while store.get(job).state != "done" and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join(timeout=60)
    assert store.get(job).state == "done"
    assert not thread.is_alive()


def test_stopped_in_the_middle_it_is_gone_on_with_by_the_next(house: House) -> None:
    """Told to stop, it keeps the chunk that is under way; another runner computes only the rest."""
    house.register()
    job, store, rows = submitted(house, 6), exports_of(house.rooms).store, 0

    def stopping() -> bool:
        return store.get(job).progress.chunks >= 2

    assert Exporter(house.rooms, house.serving, this_process(), stopping).turn()
    half = store.get(job)
    assert (half.state, half.progress.chunks) == ("queued", 2)
    rows = sum(what.startswith("explain") for what in house.workers.asked)
    assert rows == 2
    assert Exporter(house.rooms, house.serving, this_process(), lambda: False).turn()
    assert store.get(job).state == "done"
    assert sum(what.startswith("explain") for what in house.workers.asked) == 6


class Troubled:
    """Fails twice, then has nothing to do."""

    def __init__(self, stop: threading.Event) -> None:
        self.turns, self._stop = 0, stop

    def turn(self) -> bool:
        self.turns += 1
        if self.turns <= 2:
            raise StorageFailed("no room")
        self._stop.set()
        return False


class Hurried(threading.Event):
    """Waits no time."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(0)


def test_trouble_with_the_files_does_not_end_it() -> None:
    """A store that cannot be used is tried again."""
    stop = Hurried()
    troubled = Troubled(stop)
    run(troubled, stop)  # type: ignore[arg-type]
    assert troubled.turns == 3


def test_it_needs_to_be_told_where_the_dispatcher_is(tmp_path: Path) -> None:
    """Started without its words it says what is missing and ends with status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "explainer.exporter"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert "--dispatcher" in done.stderr
