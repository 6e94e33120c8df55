"""`python -m benchmarks ledger`: 10,000 changes in copies, a million entries verified, and what a proof costs."""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from benchmarks.records.__main__ import entry
from explainer.ledger.chain import GENESIS, canonical, seal
from explainer.ledger.copies import verify_copy
from explainer.ledger.examining import Against
from explainer.ledger.notes import Checkpoint, read_note
from explainer.ledger.sqlite import Ledger
from tests.ledger.tampering import tampered

CHANGES, SMALL, MILLION = 10_000, 120, 1_000_000
AT = "2026-11-24T10:00:00.000000+00:00"


def grown(path: Path, count: int) -> Checkpoint:
    """A ledger of so many entries, written all at once, signed and closed."""
    Ledger(path).close()
    before = GENESIS
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for number in range(1, count + 1):
            written = canonical(entry(number), AT)
            before = seal(before, number, written)
            connection.execute("INSERT INTO entries VALUES (?, ?, ?)", (number, written, before))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger = Ledger(path)
    begun = time.perf_counter()
    checkpoint = read_note(ledger.proofs.checkpoint().note)
    say(f"{count} entries: the whole tree hashed and signed in {time.perf_counter() - begun:.1f} s")
    ledger.close()
    return checkpoint


def changes(folder: Path) -> None:
    """So many changed copies: how many are found, and how many with the right entry named."""
    path, chooser = folder / "small.db", random.Random(20261124)
    checkpoint = grown(path, SMALL)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    made: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for _ in range(CHANGES):
        with tampered(path, folder / "changed.db", SMALL, chooser) as change:
            verdict = verify_copy(folder / "changed.db", Against([checkpoint]))
        made[change.kind] += 1
        found[change.kind] += not verdict.ok and verdict.first_bad == change.first_bad
    for kind, count in sorted(made.items()):
        say(f"{kind:20s} {count:6d} made, {found[kind]:6d} found and named")
    say(f"{'all':20s} {made.total():6d} made, {found.total():6d} found and named")


def million(folder: Path) -> None:
    """One large ledger: verification of a copy, and proofs of entries anywhere in it."""
    path = folder / "large.db"
    checkpoint = grown(path, MILLION)
    begun = time.perf_counter()
    verdict = verify_copy(path, Against([checkpoint]))
    say(f"verified in {time.perf_counter() - begun:.1f} s: {verdict.detail}")
    ledger, chooser = Ledger(path), random.Random(1)
    for name, ask in (
        ("an entry", lambda: ledger.proofs.inclusion(chooser.randrange(1, MILLION))),
        ("a beginning", lambda: ledger.proofs.consistency(chooser.randrange(1, MILLION))),
        ("a checkpoint", ledger.proofs.checkpoint),
    ):
        begun = time.perf_counter()
        for _ in range(100):
            ask()
        say(f"{name}: proven or signed in {10 * (time.perf_counter() - begun):.2f} ms")
    ledger.close()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        million(Path(name))
        changes(Path(name))


if __name__ == "__main__":
    main()
