"""Proves that several hosts compute once what all ask for, and that a lost host costs the others a moment only."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("redis", reason="the Python package `redis` is missing: pip install 'explainer[redis]'")

from redis import Redis

from explainer.cache.memory import MemoryTier
from explainer.cache.redis import RedisBehind, RedisTier
from explainer.cache.sqlite import DiskTier
from explainer.cache.tiers import Cache
from tests.cache.conftest import OwnRedis

PROCESS = """
import sys, time
from pathlib import Path
from redis import Redis
from explainer.cache.behind import WriteBehind
from explainer.cache.memory import MemoryTier
from explainer.cache.redis import RedisBehind, RedisTier
from explainer.cache.sqlite import DiskTier
from explainer.cache.tiers import Cache

url, folder, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
shared = RedisBehind(RedisTier(url, timeout_s=5.0))
disk = WriteBehind(DiskTier(Path(folder) / "cache.db", 1_000_000))
cache = Cache([MemoryTier(100_000), disk, shared], leases=shared)
keys = [b"%032d" % i for i in range(5)]
counter = Redis.from_url(url)

def compute(missing):
    counter.incrby("computed", len(missing))
    time.sleep(seconds)
    return [(b"answer to " + keys[i], True) for i in missing]

cache.through([b"warm"], lambda missing: [(b"warm", False)])
print("ready", flush=True)
sys.stdin.readline()
answers = [answer for answer, _ in cache.through(keys, compute)]
assert answers == [b"answer to " + key for key in keys], answers
cache.close()
print("right", flush=True)
"""


def begin(server: OwnRedis, folder: Path, seconds: float) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    arguments = [sys.executable, "-c", PROCESS, server.url, str(folder), str(seconds)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.slow
def test_eight_processes_on_two_hosts_compute_once(redis_server: OwnRedis, tmp_path: Path) -> None:
    """Two hosts are two folders with nothing in common but Redis; five keys are computed five times in all."""
    processes = [begin(redis_server, tmp_path / f"host{i % 2}", 0.5) for i in range(8)]
    assert [line(process) for process in processes] == ["ready"] * 8
    for process in processes:
        go(process)
    assert [line(process) for process in processes] == ["right"] * 8
    assert [process.wait(30) for process in processes] == [0] * 8
    client = Redis.from_url(redis_server.url)
    assert int(client.get("computed") or 0) == 5
    assert client.keys("explainer:1:l:*") == []
    client.close()


def test_a_host_that_is_killed_while_it_computes_is_replaced(redis_server: OwnRedis, tmp_path: Path) -> None:
    """Its lease lapses within seconds and another computes; nobody waits for the dead."""
    first, second = begin(redis_server, tmp_path / "a", 60), begin(redis_server, tmp_path / "b", 0)
    assert [line(first), line(second)] == ["ready", "ready"]
    go(first)
    client = Redis.from_url(redis_server.url)
    while not client.get("computed"):
        time.sleep(0.01)
    go(second)
    first.kill()
    start = time.monotonic()
    assert line(second) == "right"
    assert time.monotonic() - start < 8
    assert int(client.get("computed") or 0) == 10
    client.close()
    first.communicate()
    second.communicate()


def two_hosts(server: OwnRedis) -> list[Cache]:
    shared = [RedisBehind(RedisTier(server.url, timeout_s=5.0)) for _ in range(2)]
    return [Cache([MemoryTier(100_000), each], leases=each) for each in shared]


def test_hosts_that_need_each_others_keys_do_not_block_one_another(redis_server: OwnRedis) -> None:
    """Two requests with crossed keys end: each computes what it claimed before it waits."""
    hosts, names = two_hosts(redis_server), [b"%d" % i for i in range(30)]
    outcomes: list[list[bytes]] = []

    def ask(host: Cache, keys: list[bytes]) -> None:
        found = host.through(keys, lambda missing: [(keys[i] + b"!", True) for i in missing])
        outcomes.append(sorted(answer for answer, _ in found))

    threads = [threading.Thread(target=ask, args=(h, k)) for h in hosts for k in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == [sorted(name + b"!" for name in names)] * 4


def test_an_error_or_a_cut_answer_elsewhere_is_none_of_ours(redis_server: OwnRedis) -> None:
    """Where the other host failed, or may not keep its answer, this one computes for itself at once."""
    one, two = two_hosts(redis_server)
    begun, let_go = threading.Event(), threading.Event()

    def fail(missing: list[int]) -> list[tuple[bytes, bool]]:
        begun.set()
        assert let_go.wait(10)
        raise LookupError("model fell over")

    def cut(missing: list[int]) -> list[tuple[bytes, bool]]:
        begun.set()
        assert let_go.wait(10)
        return [(b"cut", False)]

    def ask_and_ignore(work: object) -> None:
        try:
            one.through([b"k"], work)  # type: ignore[arg-type]
        except LookupError:
            return

    for work in (fail, cut):
        begun.clear()
        let_go.clear()
        asking = threading.Thread(target=ask_and_ignore, args=(work,))
        asking.start()
        assert begun.wait(10)
        threading.Timer(0.2, let_go.set).start()
        start = time.monotonic()
        assert two.through([b"k"], lambda missing: [(b"own", False)]) == [(b"own", False)]
        assert time.monotonic() - start < 8
        asking.join(10)


def test_a_request_with_little_patience_does_not_wait_for_another_host(redis_server: OwnRedis) -> None:
    """Its deadline counts, not the other's."""
    one, two = two_hosts(redis_server)
    begun, let_go = threading.Event(), threading.Event()

    def slow(missing: list[int]) -> list[tuple[bytes, bool]]:
        begun.set()
        assert let_go.wait(20)
        return [(b"late", True)]

    asking = threading.Thread(target=lambda: one.through([b"k"], slow))
    asking.start()
    assert begun.wait(10)
    assert two.through([b"k"], lambda missing: [(b"own", True)], patience_s=0.05) == [(b"own", False)]
    let_go.set()
    asking.join(10)


def test_what_another_host_computed_is_kept_here_too(redis_server: OwnRedis, tmp_path: Path) -> None:
    """A find in Redis goes into this host's quicker tiers, with the time at which it was computed."""
    first, _ = two_hosts(redis_server)
    first.through([b"k"], lambda missing: [(b"v", True)])
    first.close()
    memory, disk, shared = MemoryTier(10_000), DiskTier(tmp_path / "c.db", 1_000_000), RedisTier(redis_server.url)
    assert Cache([memory, disk, shared], leases=shared).through([b"k"], lambda missing: []) == [(b"v", True)]
    assert memory.get([b"k"]) == disk.get([b"k"]) == shared.get([b"k"]) != {}
