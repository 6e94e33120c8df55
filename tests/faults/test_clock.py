"""The wall clock jumps an hour back, and a day forward: answers, order of records and sessions stay as they should."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.faults import processes
from tests.faults.conftest import Registered, copy_of, serving

COMPILER = shutil.which("cc")
HOUR = 3600


@pytest.mark.skipif(COMPILER is None, reason="no C compiler (Debian: apt-get install gcc)")
def test_the_clock_may_jump(registered: Registered, tmp_path: Path) -> None:
    """Under load all answers stay right and quick, the ledger stays one chain, and receipts from before are found."""
    library, skew = tmp_path / "skewed_clock.so", tmp_path / "skew"
    source = Path(__file__).with_name("skewed_clock.c")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    skew.write_bytes(struct.pack("=q", 0))
    settings = {"LD_PRELOAD": str(library), "SKEW": str(skew)}
    with serving(copy_of(registered, tmp_path), tmp_path / "log", **settings) as running:
        with running.load() as load:
            processes.until(lambda: load.right)
            for jump in (-HOUR, 24 * HOUR, 0):
                set_skew(skew, jump)
                moment = time.time() + jump
                assert abs(service_time(running.service.call("GET", "/healthz").headers) - moment) < 60
                since = time.monotonic()
                processes.until(lambda since=since: load.answered_after(since), 10)  # type: ignore[misc]
                time.sleep(1)
        assert (load.wrong, load.refused, load.broken) == ([], [], [])
        assert running.lost(load) == []


def set_skew(file: Path, seconds: int) -> None:
    with file.open("r+b") as opened:
        opened.write(struct.pack("=q", seconds))


def service_time(headers: dict[str, str]) -> float:
    """The service's own idea of the time, in seconds since 1970."""
    return parsedate_to_datetime(headers["Date"]).timestamp()
