"""Proves that counts reach the file at once, survive their process, and never harm whoever counts."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from explainer.monitoring.cells import BEGIN_BYTES, MOST_SERIES, Cells, clear
from explainer.monitoring.gathering import Values, combined, tallies

LIVE = frozenset({"level"})
BOUNDS = (1.0, 2.0)


def read(folder: Path) -> Values:
    return combined(tallies(folder), LIVE, frozenset())


def test_what_is_counted_is_in_the_file_at_once(tmp_path: Path) -> None:
    """Counts add up, a level is what was set last, and a value goes into the bucket whose bound it does not exceed."""
    cells = Cells(tmp_path, "web", LIVE)
    cells.add(("count", "a"))
    cells.add(("count", "a"), 2)
    cells.set(("level",), 5)
    for value in (0.5, 1.0, 1.5, 7.0):
        cells.observe(("time",), BOUNDS, value)
    assert read(tmp_path) == {("count", "a"): (3.0,), ("level",): (5.0,), ("time",): (2.0, 1.0, 1.0, 10.0)}


def test_threads_lose_no_count(tmp_path: Path) -> None:
    """Eight threads that count the same and new series at once come to the exact sum."""
    cells = Cells(tmp_path, "web")

    def count(own: int) -> None:
        for i in range(2000):
            cells.add(("count",))
            cells.add(("each", str(i % 50), str(own)))

    threads = [threading.Thread(target=count, args=(own,)) for own in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read(tmp_path)
    assert found["count",] == (16000.0,)
    assert sum(v for key, (v,) in found.items() if key[0] == "each") == 16000.0


def test_the_file_grows(tmp_path: Path) -> None:
    """More series than a new file holds are all there, those from before the growth among them."""
    cells = Cells(tmp_path, "web")
    for metric in range(5):
        for i in range(300):
            cells.observe((f"m{metric}", f"label {i}"), tuple(range(10)), 3)
    assert (tmp_path / "web-0.cells").stat().st_size > BEGIN_BYTES
    found = read(tmp_path)
    assert len(found) == 1500
    assert all(sum(values[:-1]) == 1.0 for values in found.values())


def test_one_metric_has_only_so_many_series(tmp_path: Path) -> None:
    """Labels beyond the most are added up under `other`: nobody can fill the memory with inventions."""
    cells = Cells(tmp_path, "web")
    for i in range(MOST_SERIES + 100):
        cells.add(("count", str(i)))
    found = read(tmp_path)
    assert len(found) == MOST_SERIES + 1
    assert found["count", "other"] == (100.0,)


def test_processes_of_one_role_have_files_of_their_own(tmp_path: Path) -> None:
    """Two at once never share a file; both are summed, levels too."""
    first, second = Cells(tmp_path, "web", LIVE), Cells(tmp_path, "web", LIVE)
    for cells in (first, second):
        cells.add(("count",))
        cells.set(("level",), 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["web-0.cells", "web-1.cells"]
    assert read(tmp_path) == {("count",): (2.0,), ("level",): (4.0,)}


COUNT = """
import sys, time
from pathlib import Path
from explainer.monitoring.cells import Cells
cells = Cells(Path(sys.argv[1]), "web", {"level"})
cells.add(("count",)); cells.set(("level",), 1)
print("counted", flush=True)
time.sleep(60)
"""


def start(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", COUNT, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def test_a_killed_process_leaves_its_counts_and_takes_its_levels_along(tmp_path: Path) -> None:
    """After kill -9 the count stays and the level is gone; whoever comes next goes on counting in the same file."""
    process = start(tmp_path)
    assert read(tmp_path) == {("count",): (1.0,), ("level",): (1.0,)}
    process.kill()
    assert os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT) is not None
    assert read(tmp_path) == {("count",): (1.0,)}, "one that has ended and was not waited for is dead as well"
    process.wait()
    assert read(tmp_path) == {("count",): (1.0,)}
    after = start(tmp_path)
    try:
        assert read(tmp_path) == {("count",): (2.0,), ("level",): (1.0,)}
        assert [p.name for p in tmp_path.iterdir()] == ["web-0.cells"]
    finally:
        after.kill()
        after.wait()


def test_a_forked_child_counts_for_itself(tmp_path: Path) -> None:
    """A fork copies the counts in memory, but neither the file nor the right to write to it."""
    cells = Cells(tmp_path, "web", LIVE)
    cells.add(("count",), 10)
    child = os.fork()
    if child == 0:
        cells.add(("count",), 1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    cells.add(("count",), 100)
    assert read(tmp_path) == {("count",): (111.0,)}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The count goes on in memory, and one line says that it is missing from the page."""
    (tmp_path / "file").touch()
    cells = Cells(tmp_path / "file" / "below", "web")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            cells.add(("count",))
            cells.observe(("time",), BOUNDS, 1.0)
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    assert "missing from /metrics" in caplog.text


FULL = """
import logging, resource, sys
from pathlib import Path
from explainer.monitoring.cells import Cells
cells = Cells(Path(sys.argv[1]), "web")
cells.add(("count", "before"))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
for metric in range(20):
    for i in range(300):
        cells.observe((f"m{metric}", f"label {i}"), tuple(range(10)), 3)
cells.add(("count", "before"))
print("well")
"""


def test_a_disk_that_has_no_more_room_harms_nobody(tmp_path: Path) -> None:
    """When the file cannot grow the process lives on and says so; what was counted before stays readable."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "well\n"
    assert done.stderr.count("missing from /metrics") == 1
    assert read(tmp_path)["count", "before"] == (1.0,)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    """Rubbish where the file should be costs its counts and nothing else."""
    (tmp_path / "web-0.cells").write_bytes(os.urandom(5000))
    assert tallies(tmp_path) == []
    Cells(tmp_path, "web").add(("count",))
    assert read(tmp_path) == {("count",): (1.0,)}


def test_clearing_spares_processes_that_live(tmp_path: Path) -> None:
    """At the start of a service old files go; those of another service in the same folder stay."""
    alive = Cells(tmp_path, "web")
    alive.add(("count",))
    process = start(tmp_path)
    process.kill()
    process.wait()
    assert len(list(tmp_path.iterdir())) == 2
    clear(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["web-0.cells"]
    clear(tmp_path / "nowhere")
