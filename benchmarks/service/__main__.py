"""`python -m benchmarks.service [--quick] [--only PART] [--rounds N]`: our service beside a naive one and an echo."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.machine import load
from benchmarks.service import killing, report, strain, targets
from benchmarks.service.bench import AS_OURS, NAIVE, Bench
from benchmarks.service.cases import CASES, Case
from benchmarks.service.measuring import Extent
from benchmarks.service.targets import Aim

FULL = Extent(seconds=1.6, least=2, exact_rows=4, repeats=2, warm=8)
QUICK = Extent(seconds=0.3, least=1, exact_rows=1, repeats=1, warm=4, cases=tuple(c for c in CASES if c.quick))
PARTS = ("pace", "strain", "kills")
ROUNDS, QUICK_ROUNDS = 200, 6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes; figures that only show the direction")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be given several times")
    parser.add_argument("--rounds", type=int, help=f"how often a process is killed (default {ROUNDS})")
    given = parser.parse_args()
    parts = given.only or PARTS
    began = time.monotonic()
    print(f"Load before: {load()}")
    with tempfile.TemporaryDirectory(prefix="explainer-bench-") as folder:
        bench = Bench(Path(folder), QUICK if given.quick else FULL)
        aims: list[Aim] = []
        if "pace" in parts:
            aims += pace(bench, quick=given.quick)
        if "strain" in parts:
            aims += strained(bench, quick=given.quick)
        if "kills" in parts:
            aims += kills(bench, given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS))
    print()
    targets.shown(aims)
    print(f"\n{time.monotonic() - began:.0f} s in all; load at the end: {load()}")


def pace(bench: Bench, *, quick: bool) -> list[Aim]:
    """Latency, throughput, error, start and memory beside the naive service and the echo."""
    questions = bench.questions()
    floors = [
        bench.echo("Flask, gunicorn, 2 processes", NAIVE, questions[0]),
        bench.echo("Flask, gunicorn, 2 processes, 16 threads", AS_OURS, questions[0]),
    ]
    ours = [bench.explainer("explainer", questions, cached=True)]
    if not quick:
        more = {"EXPLAINER_WORKERS_PER_MODEL": "2"}
        ours.append(bench.explainer("explainer, 2 workers", questions, cached=False, **more))
    rival = bench.naive(questions)
    runs = [*floors, *ours, rival]
    print()
    report.paces(runs)
    print()
    report.servers(runs)
    print()
    report.beside_echo(floors[0].lines[0], ours[0])
    print()
    report.beside_naive(ours, rival)
    print(f"The client took at most {report.effort(runs):.0%} of one core.")
    return [*targets.of_pace(floors[0].lines[0], ours[0], ours[-1], rival), *targets.of_size(ours[0], rival)]


def strained(bench: Bench, *, quick: bool) -> list[Aim]:
    """70 % and 200 % of the saturating rate, of an exact tree and of a sampled model."""
    extent = strain.Extent(1, 4, 6) if quick else strain.Extent(4, 20, 60)
    found = bench.strained([named("credit-xgb, log-odds"), named("credit-mlp, probability")], extent)
    print()
    strain.shown(found)
    return list(targets.of_strain(found))


def kills(bench: Bench, rounds: int) -> list[Aim]:
    """kill -9 of random processes while four models are asked."""
    asked = [
        named(name)
        for name in ("credit-gbm, log-odds", "credit-xgb, log-odds", "credit-mlp, probability", "diabetes-forest")
    ]
    found = bench.killed(asked, rounds)
    print()
    killing.shown(found)
    return list(targets.of_kills(found))


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


if __name__ == "__main__":
    main()
