"""At least 2,000 hostile model files, each tried as a registration tries it: in a throw-away worker.

`python -m benchmarks.hostile [mutants of each format]`. A good file of each format is tried first and last. The exit
status is 1 when code of a file was run, when a file took more than its worker with it, or when one was refused without
a reason. A file that reproduces the golden predictions of the model that it was made from is none that does harm: it
is counted as accepted.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks.hostile.files import KINDS, ROWS, Kind, hostile_files
from explainer.errors import ModelRefused
from explainer.formats import open_model
from explainer.records import LoadOrder
from explainer.settings import Settings
from explainer.workers.pool import WorkerPools
from tests.formats import orders

EACH = 230
LIMITS = Settings(open_timeout_s=20, worker_timeout_s=20)
DIED, LATE = frozenset({"worker-died"}), frozenset({"worker-timed-out"})
ENDINGS = ("refused", "its worker died", "its worker was stopped", "accepted")


def main() -> int:
    each = int(sys.argv[1]) if len(sys.argv) > 1 else EACH
    pools, wrong, total = WorkerPools(LIMITS), 0, Counter[str]()
    pools.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for kind in KINDS:
                found, faults = tried(pools, kind, each, Path(folder))
                total += found
                wrong += faults
                print(_line(kind.name, found), flush=True)
    finally:
        pools.shutdown()
    print(_line("all", total))
    print(f"code of a file run, reasons missing, or more than a worker lost: {wrong}")
    return 1 if wrong else 0


def tried(pools: WorkerPools, kind: Kind, each: int, folder: Path) -> tuple[Counter[str], int]:
    """Endings of one format's files, and how many things went wrong."""
    path, marker = folder / f"{kind.name}.model", folder / f"{kind.name}.ran"
    kind.make(path)
    good, wrong, found = path.read_bytes(), 0, Counter[str]()
    signed = "the benchmark" if kind.form == "sklearn-joblib" else None
    order = _order(kind, path)
    pools.trial(replace(order, signed_by=signed), order.background[:2])
    began = time.monotonic()
    for what, data in hostile_files(kind, good, each, marker):
        path.write_bytes(data)
        ending, reason = _ending(pools, _with_digest(order, data))
        found[ending] += 1
        if marker.exists() or not reason:
            print(f"  {kind.name}: {what}: {ending}: code was run: {marker.exists()}; reason: {reason!r}", flush=True)
            marker.unlink(missing_ok=True)
            wrong += 1
    found["seconds"] = int(time.monotonic() - began)
    path.write_bytes(good)
    pools.trial(replace(_with_digest(order, good), signed_by=signed), order.background[:2])
    return found, wrong


def _order(kind: Kind, path: Path) -> LoadOrder:
    """An order whose golden predictions are the model's own."""
    declared, rows = orders.manifest(kind.form, kind.features), kind.rows(ROWS)
    order = orders.order(path, declared, rows, signed_by="the benchmark")
    order = replace(order, golden_predictions=open_model(order).predict(order.golden_rows), signed_by=None)
    return _with_digest(order, path.read_bytes())


def _with_digest(order: LoadOrder, data: bytes) -> LoadOrder:
    return replace(order, manifest=replace(order.manifest, sha256=hashlib.sha256(data).hexdigest()))


def _ending(pools: WorkerPools, order: LoadOrder) -> tuple[str, str]:
    try:
        pools.trial(order, order.background[:2])
    except ModelRefused as error:
        rules = {problem.rule for problem in error.problems}
        ending = "its worker died" if rules & DIED else "its worker was stopped" if rules & LATE else "refused"
        return ending, error.detail
    return "accepted", "it answers as the model that it was made from"


def _line(name: str, found: Counter[str]) -> str:
    number = sum(found[ending] for ending in ENDINGS)
    told = ", ".join(f"{found[ending]:5} {ending}" for ending in ENDINGS)
    return f"{name:14} {number:5} files: {told}; {found['seconds']} s"


if __name__ == "__main__":
    sys.exit(main())
