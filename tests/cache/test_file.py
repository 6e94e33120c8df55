"""Proves that whatever happens to the file, answers are true or missing, and readers do not wait for writers."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

import pytest

from explainer.cache.cover import Cover, cover_for
from explainer.cache.file import LossyFile
from explainer.cache.sqlite import LAYOUT, SCHEMA, DiskTier
from explainer.sealing import MasterKeys
from tests.cache.plain import get, put

BOUND = 4_000_000
COVERS = [cover_for(None), cover_for(MasterKeys([bytes(32)]))]


def key_of(i: int) -> bytes:
    return i.to_bytes(32, "big")


def value_of(i: int) -> bytes:
    return random.Random(i).randbytes(50 + 97 * i % 3000)


def fill(tier: DiskTier, numbers: range) -> None:
    put(tier, {key_of(i): value_of(i) for i in numbers})


def true_ones(tier: DiskTier, numbers: range) -> int:
    """Return how many are found, each of them true."""
    found = get(tier, [key_of(i) for i in numbers])
    assert all(found[key_of(i)] == value_of(i) for i in numbers if key_of(i) in found)
    return len(found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


@pytest.mark.parametrize("cover", COVERS, ids=["clear", "sealed"])
def test_one_changed_byte_anywhere(path: Path, cover: Cover) -> None:
    """A byte changed at any place of the file: true answers or none, no error, and the tier is of use again."""
    original = DiskTier(path, BOUND, cover=cover)
    fill(original, range(12))
    original.close()
    whole, chooser = original.path.read_bytes(), random.Random(5)
    for at in [*range(0, 120, 3), *chooser.sample(range(len(whole)), 80)]:
        changed = bytearray(whole)
        changed[at] = (changed[at] + chooser.randrange(1, 256)) % 256
        original.path.write_bytes(bytes(changed))
        tier = DiskTier(path, BOUND, cover=cover)
        true_ones(tier, range(12))
        fill(tier, range(20, 23))
        fill(tier, range(20, 23))
        assert true_ones(tier, range(20, 23)) == 3, at
        tier.close()
        for leftover in path.parent.iterdir():
            leftover.unlink()


@pytest.mark.parametrize("cover", COVERS, ids=["clear", "sealed"])
def test_a_file_that_was_cut_anywhere(path: Path, cover: Cover) -> None:
    """A file cut to any length, even to nothing, costs its entries only."""
    original = DiskTier(path, BOUND, cover=cover)
    fill(original, range(12))
    original.close()
    whole, chooser = original.path.read_bytes(), random.Random(6)
    for length in [0, 1, 99, 100, 4096, *chooser.sample(range(len(whole)), 30)]:
        original.path.write_bytes(whole[:length])
        tier = DiskTier(path, BOUND, cover=cover)
        true_ones(tier, range(12))
        for _ in range(2):
            fill(tier, range(20, 23))
        assert true_ones(tier, range(20, 23)) == 3, length
        tier.close()


def test_a_file_that_is_cut_while_it_is_read_does_not_end_the_process(path: Path) -> None:
    """No page of it is mapped: a cut is an error that becomes a miss, not a signal."""
    tier = DiskTier(path, BOUND, rest_s=0.0, busy_timeout_s=0.1)
    fill(tier, range(60))
    tier.close()
    true_ones(tier, range(60))
    for length in (40_000, 5000, 0):
        if path.exists():  # once seen to be damaged it is moved away
            with path.open("r+b") as file:
                file.truncate(length)
        true_ones(tier, range(60))
    for _ in range(2):
        fill(tier, range(60, 70))
    assert true_ones(tier, range(60, 70)) == 10


def run_forked(action: object) -> int:
    """Run `action` in a child that is nobody (root would be refused nothing) and return its status."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            action()  # type: ignore[operator]
        except Exception:  # noqa: BLE001 - the child's failure is its status
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def test_a_file_that_cannot_be_written_is_still_read(caplog: pytest.LogCaptureFixture) -> None:
    """On a read-only file puts are dropped and the entries are found; nothing is moved away."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cache.db"
        keeper = DiskTier(path, BOUND)
        fill(keeper, range(10))
        for part in path.parent.iterdir():
            part.chmod(0o666)
        path.chmod(0o444)
        path.parent.chmod(0o777)

        def read_and_write() -> None:
            tier = DiskTier(path, BOUND)
            assert true_ones(tier, range(10)) == 10
            fill(tier, range(10, 20))
            assert true_ones(tier, range(20)) == 10
            assert tier.stats()["errors"] == 1

        assert run_forked(read_and_write) == 0
        assert not path.with_name("cache.db.damaged").exists()
        assert true_ones(keeper, range(10)) == 10
        keeper.close()


def test_a_folder_that_nobody_may_enter_is_a_miss() -> None:
    """Without any right to the folder the tier answers nothing and raises nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "closed" / "cache.db"
        path.parent.mkdir(mode=0o700)
        Path(folder).chmod(0o755)

        def use() -> None:
            tier = DiskTier(path, BOUND)
            fill(tier, range(3))
            assert true_ones(tier, range(3)) == 0
            assert tier.stats()["errors"] >= 1

        path.parent.chmod(0)
        assert run_forked(use) == 0
        path.parent.chmod(0o700)


def test_a_full_disk_costs_the_new_entries_only(path: Path) -> None:
    """Where the file may not grow (EFBIG, as ENOSPC), what was kept is found, and later puts are kept."""
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from explainer.cache.sqlite import DiskTier; from tests.cache.test_file import fill, true_ones\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "tier = DiskTier(Path(sys.argv[1]), 4_000_000, rest_s=0.0)\n"
        "fill(tier, range(20))\n"
        "tier.close()\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, hard))\n"
        "for start in range(20, 400, 20):\n"
        "    fill(tier, range(start, start + 20))\n"
        "    assert true_ones(tier, range(400)) >= 20\n"
        "assert tier.stats()['errors'] > 5, tier.stats()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))\n"
        "fill(tier, range(400, 420))\n"
        "assert true_ones(tier, range(400, 420)) == 20\n"
        "assert true_ones(tier, range(20)) == 20\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    assert not path.with_name("cache.db.damaged").exists()


def test_two_processes_use_a_file_that_is_damaged_again_and_again(path: Path) -> None:
    """While bytes are overwritten under them, both go on without an error and every answer is true."""
    code = (
        "import random, sys, time; from pathlib import Path\n"
        "from explainer.cache.sqlite import DiskTier; from tests.cache.test_file import fill, true_ones\n"
        "tier, chooser = DiskTier(Path(sys.argv[1]), 4_000_000, rest_s=0.0), random.Random(int(sys.argv[2]))\n"
        "until, found = time.monotonic() + 4, 0\n"
        "while time.monotonic() < until:\n"
        "    start = chooser.randrange(60); fill(tier, range(start, start + 5)); found += true_ones(tier, range(60))\n"
        "assert found > 0\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path), str(i)]) for i in range(2)]
    chooser, damages = random.Random(9), 0
    while any(other.poll() is None for other in others):
        time.sleep(0.1)
        try:
            with path.open("r+b") as file:
                file.seek(chooser.randrange(max(1, path.stat().st_size)))
                file.write(chooser.randbytes(chooser.choice([1, 40, 3000])))
                damages += 1
        except FileNotFoundError:
            continue
    assert [other.wait(30) for other in others] == [0, 0]
    assert damages > 5


def test_readers_do_not_wait_for_a_writer(path: Path) -> None:
    """While another holds the write lock, and this process waits for it, gets are answered."""
    tier = DiskTier(path, BOUND, busy_timeout_s=20.0)
    fill(tier, range(5))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiting = threading.Thread(target=fill, args=(tier, range(5, 10)))
    waiting.start()
    for _ in range(50):
        assert true_ones(tier, range(10)) == 5
    assert waiting.is_alive()
    holder.execute("ROLLBACK")
    holder.close()
    waiting.join(20)
    assert true_ones(tier, range(10)) == 10


def test_two_processes_see_each_others_entries_at_once(path: Path) -> None:
    """An entry is found by the other process as soon as its put has returned, a hundred times in turn."""
    code = (
        "import sys; from pathlib import Path\n"
        "from explainer.cache.sqlite import DiskTier; from tests.cache.test_file import fill, true_ones\n"
        "tier = DiskTier(Path(sys.argv[1]), 4_000_000)\n"
        "for line in sys.stdin:\n"
        "    i = int(line); assert true_ones(tier, range(i, i + 1)) == 1; fill(tier, range(i + 1, i + 2))\n"
        "    print('put', flush=True)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdin is not None
    assert other.stdout is not None
    tier = DiskTier(path, BOUND)
    for i in range(0, 200, 2):
        fill(tier, range(i, i + 1))
        other.stdin.write(f"{i}\n")
        other.stdin.flush()
        assert other.stdout.readline() == "put\n"
        assert true_ones(tier, range(i + 1, i + 2)) == 1
    other.stdin.close()
    assert other.wait(20) == 0
    other.stdout.close()


def test_a_file_of_another_layout_is_begun_anew(path: Path) -> None:
    """What an earlier release left there is dropped without being called damaged."""
    earlier = sqlite3.connect(path)
    earlier.executescript("CREATE TABLE entries (key BLOB, value BLOB); INSERT INTO entries VALUES (x'00', x'01')")
    earlier.close()
    tier = DiskTier(path, BOUND)
    fill(tier, range(3))
    assert true_ones(tier, range(3)) == 3
    assert not path.with_name("cache.db.damaged").exists()


def test_an_error_of_the_machine_rests_and_is_said_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What failed is not tried again before the rest is over; the other direction goes on."""
    file = LossyFile(path, SCHEMA, LAYOUT, rest_s=30.0, busy_timeout_s=0.05)
    assert file.write(lambda connection: None)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.WARNING):
        assert [file.write(lambda connection: None) for _ in range(3)] == [False] * 3
        holder.close()
        assert not file.write(lambda connection: None)
        assert file.read(lambda connection: None)
    assert caplog.text.count("is not written for 30 s") == 1
    file.close()
