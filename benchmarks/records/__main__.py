"""`python -m benchmarks records`: entries per second and how long each waits, beside a bare sync of this disk."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from explainer.ledger.layout import open_file
from explainer.ledger.sqlite import Filters, Ledger
from explainer.receipts.store import ReceiptStore, new_id
from explainer.records import ExplainOptions, LedgerEntry, Receipt

SECONDS = 4.0
BLOCK = 4120  # bytes of one page in SQLite's log
VERIFIED = 200_000
ANSWER = b"[" + b'{"attributions":[0.123456789012345]}' * 55 + b"]"
FACTS: dict[str, str | int | float | bool | None] = {
    "model": "credit-gbm",
    "version": "1.0",
    "digest": "d" * 64,
    "method": "auto",
    "rows": 1,
    "hits": 1,
}


def entry(number: int) -> LedgerEntry:
    facts: dict[str, str | int | float | bool | None] = {**FACTS, "first_receipt": "rcp_" + "0" * 26}
    return LedgerEntry("api:explanation:create", f"key_{number % 50}", "answered", f"{number:032x}", facts)


def receipt(number: int) -> Receipt:
    row, digest = tuple(float(number + i) for i in range(19)), sha256(ANSWER).hexdigest()
    made = "2026-11-24T10:00:00.000+00:00"
    return Receipt(new_id(), made, "key_a", "m", "1.0", "d" * 64, ExplainOptions(), row, ANSWER, digest)


def sync_only(folder: Path) -> Callable[[int], object]:
    """What no record can be quicker than: a page written over and brought to this disk."""
    file = os.open(folder / f"bare-{os.getpid()}", os.O_RDWR | os.O_CREAT)
    os.write(file, bytes(4 << 20))
    os.fsync(file)

    def write(number: int) -> None:
        os.pwrite(file, bytes(BLOCK), number * BLOCK % (4 << 20))
        os.fdatasync(file)

    return write


def entry_only(folder: Path) -> Callable[[int], object]:
    ledger = Ledger(folder / "ledger.db")
    return lambda number: ledger.append(entry(number))


def entry_and_receipt(folder: Path) -> Callable[[int], object]:
    records = open_file(folder / "ledger.db")
    ledger, receipts = Ledger(records), ReceiptStore(records)
    return lambda number: ledger.append(entry(number), [receipts.settle([receipt(number)])[1]])


def entry_and_known_receipt(folder: Path) -> Callable[[int], object]:
    records = open_file(folder / "ledger.db")
    ledger, receipts = Ledger(records), ReceiptStore(records)
    known = receipt(0)
    receipts.put_many([known])
    return lambda number: ledger.append(entry(number), [receipts.still([known.id])])


def timed(write: Callable[[int], object], threads: int, first: int) -> list[float]:
    """Seconds of each write, by so many threads that write as fast as they can."""
    found: list[float] = []
    until = time.perf_counter() + SECONDS

    def go(thread: int) -> None:
        number = first + thread * 10**9
        while (begun := time.perf_counter()) < until:
            write(number)
            found.append(time.perf_counter() - begun)
            number += 1

    running = [threading.Thread(target=go, args=(i,)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return found


Case = Callable[[Path], Callable[[int], object]]


def process(case: Case, folder: Path, threads: int, which: int, said: SimpleQueue[list[float]]) -> None:
    said.put(timed(case(folder), threads, which * 10**12))


def measured(case: Case, processes: int, threads: int) -> str:
    """One line of the table."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        said: SimpleQueue[list[float]] = multiprocessing.SimpleQueue()
        given = [(case, Path(name), threads, which, said) for which in range(processes)]
        running = [multiprocessing.Process(target=process, args=arguments) for arguments in given]
        for one in running:
            one.start()
        found = sorted(seconds for _ in running for seconds in said.get())
        for one in running:
            one.join()
    p50, p99, most = (1000 * found[min(int(q * len(found)), len(found) - 1)] for q in (0.5, 0.99, 1))
    return f"{len(found) / SECONDS:9.0f} {p50:9.2f} {p99:9.2f} {most:9.1f}"


def looked_through() -> str:
    """How long a verification takes, and searches after so many entries."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        ledger, threads = Ledger(Path(name) / "ledger.db"), []
        for i in range(16):
            numbers = range(i, VERIFIED, 16)
            threads.append(threading.Thread(target=lambda n=numbers: [ledger.append(entry(k)) for k in n]))
            threads[-1].start()
        for thread in threads:
            thread.join()
        begun = time.perf_counter()
        ledger.read(filters=Filters(request_id="none"))
        searched = time.perf_counter()
        ledger.read(filters=Filters(request_id=f"{77:032x}"))
        again = time.perf_counter()
        verdict = ledger.verify()
        verified = time.perf_counter()
    million = (verified - again) * 1e6 / VERIFIED
    return (
        f"{VERIFIED} entries: the first search takes {1000 * (searched - begun):.1f} ms, the next "
        f"{1000 * (again - searched):.1f} ms; verified in {verified - again:.1f} s ({million:.0f} s for a million): "
        f"{verdict.detail}"
    )


def main() -> None:
    cases: dict[str, Case] = {
        "a bare sync": sync_only,
        "entry": entry_only,
        "entry, known receipt": entry_and_known_receipt,
        "entry and receipt": entry_and_receipt,
    }
    sys.stdout.write(f"{'milliseconds':32s}{'per s':>9s} {'p50':>9s} {'p99':>9s} {'longest':>9s}\n")
    for name, case in cases.items():
        for processes, threads in ((1, 1), (1, 8), (2, 1), (2, 8)):
            if case is sync_only and threads > 1:
                continue
            line = measured(case, processes, threads)
            sys.stdout.write(f"{f'{name}, {processes} x {threads}':32s}{line}\n")
            sys.stdout.flush()
    sys.stdout.write(f"\n{looked_through()}\n")


if __name__ == "__main__":
    main()
