"""Proves that a put does not wait, is seen by its own process at once, and is written before the end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from explainer.cache.behind import WriteBehind
from explainer.cache.ports import Entry
from explainer.cache.sqlite import DiskTier
from tests.cache.plain import get, put


class SlowShelf:
    """A tier whose put waits until it is let go."""

    name = "slow"

    def __init__(self) -> None:
        self.values: dict[bytes, Entry] = {}
        self.batches: list[int] = []
        self.go, self.begun = threading.Event(), threading.Event()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Entry]:
        return {key: self.values[key] for key in keys if key in self.values}

    def put(self, entries: Mapping[bytes, Entry]) -> None:
        self.begun.set()
        assert self.go.wait(10)
        self.values.update(entries)
        self.batches.append(len(entries))

    def remove(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self.values.pop(key, None)

    def erase(self, keys: Iterable[bytes]) -> bool:
        self.remove(keys)
        return True

    def stats(self) -> dict[str, int]:
        return {"hits": 0}

    def close(self) -> None:
        self.values.clear()


def test_a_put_does_not_wait_and_is_found_meanwhile() -> None:
    """While the tier is stuck, puts return and gets find what waits; afterwards the tier has it, in few batches."""
    shelf = SlowShelf()
    tier = WriteBehind(shelf)
    put(tier, {b"first": b"1"})
    assert shelf.begun.wait(10)
    for i in range(100):
        put(tier, {b"%d" % i: b"v%d" % i})
    assert get(tier, [b"first", b"7", b"none"]) == {b"first": b"1", b"7": b"v7"}
    assert tier.stats() == {"hits": 0, "dropped": 0, "waiting": 101}
    assert not tier.flush(0.05)
    shelf.go.set()
    assert tier.flush()
    assert (len(shelf.values), shelf.batches) == (101, [1, 100])


def test_the_last_value_of_a_key_wins() -> None:
    """A value that is put again while the earlier one is being written is written too, and answered meanwhile."""
    shelf = SlowShelf()
    tier = WriteBehind(shelf)
    put(tier, {b"k": b"old"})
    assert shelf.begun.wait(10)
    put(tier, {b"k": b"new"})
    assert get(tier, [b"k"]) == {b"k": b"new"}
    shelf.go.set()
    assert tier.flush()
    assert shelf.values[b"k"].value == b"new"


def test_what_waits_is_bounded() -> None:
    """Beyond its bytes puts are dropped and counted, so a stuck disk cannot fill the memory; later there is room."""
    shelf = SlowShelf()
    tier = WriteBehind(shelf, max_bytes=1000)
    for i in range(20):
        put(tier, {b"%d" % i: bytes(100)})
    put(tier, {b"0": bytes(100)})
    assert (tier.stats()["waiting"], tier.stats()["dropped"]) == (10, 10)
    shelf.go.set()
    assert tier.flush()
    put(tier, {b"late": bytes(1000)})
    assert tier.flush()
    assert len(shelf.values) == 11


def test_what_was_removed_is_not_found() -> None:
    """An entry that waits is removed as well as one that is kept."""
    shelf = SlowShelf()
    shelf.go.set()
    tier = WriteBehind(shelf)
    put(tier, {b"k": b"v", b"l": b"w"})
    assert tier.flush()
    tier.remove([b"k"])
    assert get(tier, [b"k", b"l"]) == {b"l": b"w"}


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    """After close all is on disk, and the next call begins again."""
    tier = WriteBehind(DiskTier(tmp_path / "c.db", 10_000_000))
    put(tier, {b"%d" % i: bytes(1000) for i in range(500)})
    tier.close()
    assert len(DiskTier(tmp_path / "c.db", 10_000_000).get([b"%d" % i for i in range(500)])) == 500
    put(tier, {b"again": b"v"})
    assert tier.flush()
    assert get(DiskTier(tmp_path / "c.db", 10_000_000), [b"again"]) == {b"again": b"v"}
    tier.close()


def test_the_end_of_the_interpreter_writes_what_waits(tmp_path: Path) -> None:
    """A command that ends without closing anything has kept what it computed."""
    code = (
        "import sys; from pathlib import Path\n"
        "from explainer.cache.behind import WriteBehind; from explainer.cache.sqlite import DiskTier\n"
        "from tests.cache.plain import put\n"
        "tier = WriteBehind(DiskTier(Path(sys.argv[1]), 10_000_000)); put(tier, {b'kept': b'v'})\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "c.db")], check=True, timeout=60)
    assert get(DiskTier(tmp_path / "c.db", 10_000_000), [b"kept"]) == {b"kept": b"v"}


def test_a_forked_process_writes_its_own(tmp_path: Path) -> None:
    """The child starts a thread of its own and does not write what waits in the parent."""
    shelf = SlowShelf()
    tier = WriteBehind(shelf)
    put(tier, {b"parent": b"p"})
    assert shelf.begun.wait(10)
    child = os.fork()
    if child == 0:
        shelf.go.set()
        put(tier, {b"child": b"c"})
        done = tier.flush()
        os._exit(0 if done and set(shelf.values) == {b"child"} else 1)
    assert os.waitpid(child, 0)[1] == 0
    shelf.go.set()
    assert tier.flush()
    assert set(shelf.values) == {b"parent"}


def test_what_is_erased_while_it_waits_or_is_written_is_gone() -> None:
    """The entry that is just being written is waited for and erased; those that wait are not written at all."""
    shelf = SlowShelf()
    tier = WriteBehind(shelf)
    put(tier, {b"first": b"1"})
    assert shelf.begun.wait(10)
    put(tier, {b"second": b"2", b"third": b"3"})
    done: list[bool] = []
    eraser = threading.Thread(target=lambda: done.append(tier.erase([b"first", b"second"])))
    eraser.start()
    shelf.go.set()
    eraser.join(10)
    assert done == [True]
    assert get(tier, [b"first", b"second", b"third"]) == {b"third": b"3"}
    assert set(shelf.values) == {b"third"}
