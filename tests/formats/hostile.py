"""Mutants of a model file, opened and asked in another process: which were refused, which answered, which killed it.

Run as a program it opens every file of a folder and prints one line for each, so that the file that ends the process
is the one after the last line.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from explainer.errors import ExplainerError
from explainer.formats import open_model
from tests.formats import orders

PLAIN_FAILURES = (ExplainerError, ValueError, TypeError, KeyError, RuntimeError)
SECONDS = 60


def mutants(data: bytes, count: int, seed: int = 0) -> list[bytes]:
    """Truncated, flipped, spliced and renumbered copies of `data`, the same for the same seed."""
    random = np.random.default_rng(seed)
    return [_KINDS[i % len(_KINDS)](data, random) for i in range(count)]


def _truncated(data: bytes, random: np.random.Generator) -> bytes:
    return data[: int(random.integers(0, len(data)))]


def _flipped(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for place in random.integers(0, len(data), int(random.integers(1, 9))):
        changed[place] = int(random.integers(0, 256))
    return bytes(changed)


def _spliced(data: bytes, random: np.random.Generator) -> bytes:
    start, end = sorted(int(i) for i in random.integers(0, len(data), 2))
    length = min(end - start, 200)
    return data[:start] + data[end : end + length] + data[start + length :]


def _renumbered(data: bytes, random: np.random.Generator) -> bytes:
    """A digit replaced by a sign, another digit or a huge number: keeps text files well-formed. Else flipped."""
    digits = [i for i, b in enumerate(data[: 1 << 20]) if 48 <= b <= 57]
    if not digits:
        return _flipped(data, random)
    changed = data
    for _ in range(int(random.integers(1, 4))):
        place = digits[int(random.integers(0, len(digits)))]
        new = [b"9", b"-1", b"99999", b"2147483647", b"0", b"1"][int(random.integers(0, 6))]
        changed = changed[:place] + new + changed[place + 1 :]
    return changed


_KINDS = (_truncated, _flipped, _spliced, _renumbered, _renumbered)


def outcomes(form: str, files: list[bytes], folder: Path, layout: str) -> list[str]:
    """For each file 'refused', 'answered' or 'killed'; after a killing file a new process goes on with the next."""
    for number, data in enumerate(files):
        (folder / f"{number:05d}").write_bytes(data)
    found: list[str] = []
    while len(found) < len(files):
        command = [sys.executable, "-m", "tests.formats.hostile", form, str(folder), str(len(found)), layout]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        lines = [line for line in done.stdout.splitlines() if line in ("refused", "answered")]
        found += lines
        if len(found) < len(files):
            if done.returncode >= 0 and not lines:
                raise AssertionError(done.stderr)
            found.append("killed")
    return found


def _try_all(form: str, folder: Path, first: int, layout: str) -> None:
    features = {"mixed": orders.FEATURES, "numbers": orders.NUMBERS, "complete": orders.COMPLETE}[layout]
    rows = orders.mixed_rows(40, seed=1) if layout == "mixed" else orders.number_rows(40, seed=1)
    rows = np.nan_to_num(rows) if layout == "complete" else rows
    declared = orders.manifest(form, features)
    for path in sorted(folder.iterdir())[first:]:
        try:
            open_model(orders.order(path, declared, rows)).predict(rows)
            said = "answered"
        except PLAIN_FAILURES:
            said = "refused"
        print(said, flush=True)


if __name__ == "__main__":
    _try_all(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
