"""Proves that the disk tier answers what was put or nothing, whatever happens to its file."""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from explainer.cache.cover import Sealed
from explainer.cache.ports import Entry
from explainer.cache.sqlite import DiskTier
from explainer.sealing import MasterKeys
from tests.cache.plain import get, put

BOUND = 4_000_000


def value_of(i: int) -> bytes:
    return random.Random(i).randbytes(50 + 97 * i % 6000)


def key_of(i: int) -> bytes:
    return i.to_bytes(32, "big")


def fill(tier: DiskTier, numbers: range) -> None:
    put(tier, {key_of(i): value_of(i) for i in numbers})


def assert_true_or_absent(tier: DiskTier, numbers: range) -> int:
    found = get(tier, [key_of(i) for i in numbers])
    assert all(found[key_of(i)] == value_of(i) for i in numbers if key_of(i) in found)
    return len(found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.db"


def test_answers_survive_a_restart(path: Path) -> None:
    """What one opening put, another gets, byte for byte; unknown keys are absent."""
    first = DiskTier(path, BOUND)
    fill(first, range(20))
    first.close()
    second = DiskTier(path, BOUND)
    assert get(second, [key_of(i) for i in range(25)]) == {key_of(i): value_of(i) for i in range(20)}


def test_a_later_value_takes_the_place_of_an_earlier(path: Path) -> None:
    """A key has one value, the last."""
    tier = DiskTier(path, BOUND)
    put(tier, {b"k": b"old"})
    put(tier, {b"k": b"new", b"empty": b""})
    assert get(tier, [b"k", b"empty"]) == {b"k": b"new", b"empty": b""}


def test_the_file_stays_within_its_bound_and_keeps_what_is_used(path: Path) -> None:
    """Under steady writing the least recently used go, an entry that is read again and again stays."""
    tier = DiskTier(path, 1_000_000)
    put(tier, {b"favourite": b"f" * 1000})
    for round_ in range(60):
        put(tier, {key_of(round_ * 100 + i): bytes([round_]) * 900 for i in range(100)})
        assert get(tier, [b"favourite"]) == {b"favourite": b"f" * 1000}
    tier.close()
    assert path.stat().st_size < 1_200_000
    assert len(get(tier, [key_of(5900 + i) for i in range(100)])) == 100
    assert get(tier, [key_of(i) for i in range(100)]) == {}


def test_a_value_that_would_displace_the_others_is_not_kept(path: Path) -> None:
    """One answer larger than a quarter of the bound is left out."""
    tier = DiskTier(path, 100_000)
    put(tier, {b"small": b"s", b"huge": bytes(30_000)})
    assert get(tier, [b"small", b"huge"]) == {b"small": b"s"}


@pytest.mark.parametrize(
    "change",
    ["entry = x'00'", "entry = x''", "entry = substr(entry, 2)", "entry = 'text'", "name = x'aa'", "entry = 7"],
)
def test_an_entry_that_does_not_fit_its_checksum_is_a_miss(
    path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A changed value, checksum or key is never answered; it is logged and can be put again."""
    tier = DiskTier(path, BOUND)
    put(tier, {b"k": b"true", b"other": b"fine"})
    tier.close()
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE entries SET {change} WHERE name = CAST('k' AS BLOB)")
    connection.commit()
    connection.close()
    with caplog.at_level(logging.WARNING):
        assert get(tier, [b"k", b"\xaa", b"other"]) == {b"other": b"fine"}
    assert "computed anew" in caplog.text
    put(tier, {b"k": b"true"})
    assert get(tier, [b"k"]) == {b"k": b"true"}


def test_values_that_were_swapped_between_keys_are_misses(path: Path) -> None:
    """The checksum covers the key: a sound value under a wrong key is no answer."""
    tier = DiskTier(path, BOUND)
    put(tier, {b"a": b"of a", b"b": b"of b"})
    tier.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "UPDATE entries SET name = x'00' WHERE name = CAST('a' AS BLOB);"
        "UPDATE entries SET name = CAST('a' AS BLOB) WHERE name = CAST('b' AS BLOB);"
        "UPDATE entries SET name = CAST('b' AS BLOB) WHERE name = x'00'"
    )
    connection.close()
    assert get(tier, [b"a", b"b"]) == {}


def test_random_damage_gives_true_answers_or_none(path: Path) -> None:
    """Flipped bits, cut tails, zeroed and exchanged stretches: never a wrong answer, never an error, soon in use."""
    original = DiskTier(path, BOUND)
    fill(original, range(60))
    original.close()
    whole, chooser, lost = path.read_bytes(), random.Random(11), 0
    useful = 0
    for attempt in range(60):
        copy = path.with_name(f"copy{attempt % 5}.db")
        for leftover in path.parent.glob(copy.name + "*"):
            leftover.unlink()
        copy.write_bytes(damaged(whole, chooser))
        tier = DiskTier(copy, BOUND)
        lost += 60 - assert_true_or_absent(tier, range(60))
        fill(tier, range(60, 70))
        fill(tier, range(60, 70))
        useful += assert_true_or_absent(tier, range(60, 70)) > 0
        assert_true_or_absent(tier, range(60))
        tier.close()
    assert lost > 50
    assert useful > 50


def damaged(whole: bytes, chooser: random.Random) -> bytes:
    data, kind = bytearray(whole), chooser.choice(["flips", "cut", "zeros", "exchange", "header"])
    if kind == "flips":
        for _ in range(chooser.choice([1, 10, 300])):
            data[chooser.randrange(len(data))] ^= 1 << chooser.randrange(8)
    elif kind == "cut":
        del data[chooser.randrange(len(data)) :]
    elif kind == "header":
        data[chooser.randrange(100)] ^= 1 << chooser.randrange(8)
    else:
        at, other = chooser.randrange(len(data) - 5000), chooser.randrange(len(data) - 5000)
        data[at : at + 5000] = bytes(5000) if kind == "zeros" else whole[other : other + 5000]
    return bytes(data)


def test_a_damaged_file_is_set_aside_and_begun_anew(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is no database is moved away for whoever wants to look at it, with its log; the next put is kept."""
    path.write_bytes(b"rubbish" * 1000)
    path.with_name("cache.db-wal").write_bytes(b"stale")
    tier = DiskTier(path, BOUND)
    with caplog.at_level(logging.WARNING):
        assert get(tier, [b"k"]) == {}
    assert "damaged" in caplog.text
    put(tier, {b"k": b"v"})
    assert get(tier, [b"k"]) == {b"k": b"v"}
    assert path.with_name("cache.db.damaged").read_bytes() == b"rubbish" * 1000


def test_damage_while_the_file_is_open_is_survived(path: Path) -> None:
    """A file that is overwritten or removed under a running service costs its entries only."""
    tier = DiskTier(path, BOUND)
    fill(tier, range(60))
    tier.close()
    get(tier, [key_of(0)])
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    for _ in range(3):
        assert_true_or_absent(tier, range(60))
        fill(tier, range(60, 70))
    assert assert_true_or_absent(tier, range(60, 70)) == 10


def test_two_openings_agree_on_which_file_is_damaged(path: Path) -> None:
    """When one has begun anew, the other finds the new file sound and does not move that away too."""
    path.write_bytes(b"rubbish" * 1000)
    one, two = DiskTier(path, BOUND), DiskTier(path, BOUND)
    get(one, [b"k"])
    put(one, {b"k": b"v"})
    assert get(two, [b"k"]) == {b"k": b"v"}
    assert get(one, [b"k"]) == {b"k": b"v"}


def test_a_folder_that_cannot_be_written_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where no file can be made the tier says so once and rests."""
    (tmp_path / "file").write_text("in the way")
    tier = DiskTier(tmp_path / "file" / "cache.db", BOUND)
    with caplog.at_level(logging.WARNING):
        put(tier, {b"k": b"v"})
        assert get(tier, [b"k"]) == {}
    assert caplog.text.count("is not written for 30 s") == caplog.text.count("is not read for 30 s") == 1


def test_a_file_that_another_process_holds_is_a_miss_not_damage(path: Path) -> None:
    """A busy file is left in its place: after the rest its entries are there."""
    tier = DiskTier(path, BOUND, rest_s=0.0, busy_timeout_s=0.05)
    put(tier, {b"k": b"v"})
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    put(tier, {b"l": b"w"})
    holder.execute("ROLLBACK")
    holder.close()
    assert get(tier, [b"k", b"l"]) == {b"k": b"v"}


def test_threads_and_processes_share_the_file(path: Path) -> None:
    """Two processes with several threads each put and get; every answer is true."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from explainer.cache.sqlite import DiskTier\n"
        "from tests.cache.plain import get, put\n"
        "import random\n"
        "tier = DiskTier(Path(sys.argv[1]), 4_000_000)\n"
        "value = lambda i: random.Random(i).randbytes(50 + 97 * i % 6000)\n"
        "for i in range(100):\n"
        "    put(tier, {i.to_bytes(32, 'big'): value(i)})\n"
        "    k = (i * 7) % 100; got = get(tier, [k.to_bytes(32, 'big')])\n"
        "    assert all(v == value(k) for v in got.values())\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path), "."]) for _ in range(2)]
    tier = DiskTier(path, BOUND)

    def work() -> None:
        for i in range(40):
            fill(tier, range(i, i + 2))
            assert_true_or_absent(tier, range(100))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    assert assert_true_or_absent(tier, range(100)) == 100


def test_kill_9_leaves_true_answers(path: Path) -> None:
    """A process killed while it writes costs at most what it was writing."""
    code = (
        "import itertools, random, sys; from pathlib import Path; from explainer.cache.sqlite import DiskTier\n"
        "from tests.cache.plain import put\n"
        "tier = DiskTier(Path(sys.argv[1]), 4_000_000)\n"
        "for i in itertools.count(int(sys.argv[2])):\n"
        "    put(tier, {i.to_bytes(32, 'big'): random.Random(i).randbytes(50 + 97 * i % 6000)}); print(i, flush=True)\n"
    )
    for round_ in range(3):
        start = 1000 * round_
        process = subprocess.Popen([sys.executable, "-c", code, str(path), str(start)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        for _ in range(30 + 50 * round_):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert assert_true_or_absent(DiskTier(path, BOUND), range(start, start + 30)) == 30


def test_a_forked_process_uses_its_own_connection(path: Path) -> None:
    """A child that was forked from a process with the file open reads and writes it, and so does the parent after."""
    tier = DiskTier(path, BOUND)
    put(tier, {b"k": b"v"})
    child = os.fork()
    if child == 0:
        put(tier, {b"child": b"c"})
        os._exit(0 if get(tier, [b"k"]) == {b"k": b"v"} else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert get(tier, [b"k", b"child"]) == {b"k": b"v", b"child": b"c"}


OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(100, 132))


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def test_nothing_on_disk_tells_a_row_once_a_key_is_set(path: Path) -> None:
    """Neither value nor digest of the row is in any file, that of a service without a key before included."""
    planted = {key_of(7): b"income 41250"}
    clear = DiskTier(path, BOUND)
    put(clear, planted)
    clear.close()
    path.with_name("cache.db.damaged").write_bytes(b"income 41250")
    assert b"income 41250" in everything_in(path.parent)
    sealed = DiskTier(path, BOUND, cover=Sealed(MasterKeys([OLD_KEY])))
    put(sealed, planted)
    assert get(sealed, [key_of(7)]) == planted
    for text in (b"income", b"41250", key_of(7), key_of(7).hex().encode()):
        assert text not in everything_in(path.parent)
    sealed.close()
    assert text not in everything_in(path.parent)
    assert {file.name for file in path.parent.glob("*.db")} == {sealed.path.name}


def test_a_changed_key_begins_anew(path: Path) -> None:
    """Entries of the old key are misses and their file is gone; the same key finds its entries after a restart."""
    old = DiskTier(path, BOUND, cover=Sealed(MasterKeys([OLD_KEY])))
    put(old, {b"k": b"v"})
    old.close()
    again = DiskTier(path, BOUND, cover=Sealed(MasterKeys([OLD_KEY, NEW_KEY])))
    assert get(again, [b"k"]) == {b"k": b"v"}
    again.close()
    new = DiskTier(path, BOUND, cover=Sealed(MasterKeys([NEW_KEY, OLD_KEY])))
    assert get(new, [b"k"]) == {}
    assert not old.path.exists()
    put(new, {b"k": b"w"})
    assert get(new, [b"k"]) == {b"k": b"w"}
    new.close()
    assert get(DiskTier(path, BOUND), [b"k"]) == {}
    assert not new.path.exists()


def test_a_service_with_the_old_key_goes_on_while_the_new_one_starts(path: Path) -> None:
    """Its file is removed under it, and again when it made another: what it answers is true, the new file is whole."""
    old = DiskTier(path, BOUND, cover=Sealed(MasterKeys([OLD_KEY])))
    fill(old, range(20))
    new = DiskTier(path, BOUND, cover=Sealed(MasterKeys([NEW_KEY])))
    fill(new, range(20, 40))
    fill(old, range(40, 60))
    assert_true_or_absent(old, range(60))
    fill(old, range(40, 60))
    old.close()
    assert assert_true_or_absent(new, range(60)) == 20
    new.close()
    new.put({})
    assert not old.path.exists()
    assert assert_true_or_absent(new, range(60)) == 20


def test_other_files_of_the_folder_are_left_alone(path: Path) -> None:
    """Only files that this tier names are removed when the key changes."""
    others = ["ledger.db", "cache.db2", "mycache.db", "cache-notes.db", "cache-0123456789abcdef.txt"]
    for name in others:
        (path.parent / name).write_text("theirs")
    DiskTier(path, BOUND, cover=Sealed(MasterKeys([OLD_KEY])))
    assert all((path.parent / name).read_text() == "theirs" for name in others)


def test_what_is_put_last_goes_last_whatever_the_clock_does(path: Path) -> None:
    """Eviction goes by order, not by time: with a clock that was set back the new entries are not the first to go."""
    tier = DiskTier(path, 400_000)
    for round_ in range(20):
        tier.put({key_of(round_ * 10 + i): Entry(bytes(3000), 2**41 - round_ * 10**9) for i in range(10)})
    found = {int.from_bytes(key, "big") for key in tier.get([key_of(i) for i in range(200)])}
    assert set(range(190, 200)) <= found
    assert 0 not in found
    assert tier.stats()["evictions"] > 50


def test_what_the_tier_did_is_counted(path: Path) -> None:
    """Hits, misses and bytes are those of the calls made; a removed entry is a miss."""
    tier = DiskTier(path, BOUND)
    fill(tier, range(10))
    tier.get([key_of(i) for i in range(15)])
    tier.remove([key_of(0), b"unknown"])
    assert get(tier, [key_of(0)]) == {}
    counts = tier.stats()
    assert (counts["hits"], counts["misses"], counts["errors"], counts["broken"]) == (10, 6, 0, 0)
    assert 10_000 < counts["bytes"] < 200_000


def on_disk(path: Path) -> bytes:
    return b"".join(part.read_bytes() for part in sorted(path.parent.glob(f"{path.name}*")))


def test_what_is_erased_is_overwritten(path: Path) -> None:
    """A value in the clear can be read in the file or its log before, and nowhere afterwards; others stay."""
    tier = DiskTier(path, BOUND)
    fill(tier, range(50))
    put(tier, {key_of(100): b"731904.257 planted" * 40, key_of(101): b"another"})
    assert b"731904.257 planted" in on_disk(path)
    assert tier.erase([key_of(100), key_of(999)])
    assert b"731904.257 planted" not in on_disk(path)
    assert get(tier, [key_of(100), key_of(101)]) == {key_of(101): b"another"}
    assert assert_true_or_absent(tier, range(50)) == 50


def test_a_removed_entry_that_is_only_removed_can_be_read(path: Path) -> None:
    """The search does find what is not overwritten: `remove` leaves the bytes where they are."""
    tier = DiskTier(path, BOUND)
    put(tier, {key_of(100): b"731904.257 planted" * 40})
    tier.remove([key_of(100)])
    assert b"731904.257 planted" in on_disk(path)


def test_an_erasure_that_others_keep_from_the_log_is_told(path: Path) -> None:
    """While somebody reads an old state of the file its log cannot be emptied."""
    tier = DiskTier(path, BOUND, busy_timeout_s=0.05)
    put(tier, {key_of(1): b"one"})
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT COUNT(*) FROM entries").fetchone() == (1,)
        assert not tier.erase([key_of(1)])
    assert tier.erase([key_of(1)])
