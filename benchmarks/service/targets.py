"""Puts what was reached beside what was aimed at, a line for each aim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.service.killing import Rounds
from benchmarks.service.measuring import CLIENTS, Line, Run
from benchmarks.service.openloop import OpenOutcome
from benchmarks.service.strain import DEADLINE_MS, Strain

ONE, MANY = CLIENTS[0], CLIENTS[-1]
FLAT = 1.1  # memory at the end of an overload over that at its beginning
MEGABYTES = 120


@dataclass(frozen=True, slots=True)
class Aim:
    """One line: what, the target, what was reached, and whether that is it."""

    what: str
    target: str
    reached: str
    met: bool


def shown(aims: Iterable[Aim]) -> None:
    print(f"{'':46}{'target':>34}{'reached':>46}")
    for aim in aims:
        print(f"{aim.what:46}{aim.target:>34}{aim.reached:>46}  {'met' if aim.met else 'NOT MET'}")


def of_pace(floor: Line, ours: Run, best: Run, naive: Run) -> Iterator[Aim]:
    """Cached answers beside the echo, computed ones beside the naive service; the worst case of each."""
    cached = [line for line in ours.lines if line.who.endswith("cached")]
    slower = max(_p50(line) / _p50(floor) for line in cached)
    share = min(line.outcomes[MANY].rate / floor.outcomes[MANY].rate for line in cached)
    yield Aim("cached answer, p50 at 1 client", "at most 1.5 echoes", f"{slower:.2f} at the worst", slower <= 1.5)
    yield Aim("cached answer, rate at 8 clients", "at least 70 % of echoes", f"{share:.0%} at the worst", share >= 0.7)
    trees = [line for line in naive.lines if "TreeExplainer" in line.who]
    mlp = [line for line in naive.lines if line.case.startswith("credit-mlp, prob")]
    for what, times, rivals in (
        ("exact tree, not cached, rate at 8 clients", 5, trees),
        ("MLP at no larger error, rate at 8 clients", 10, mlp),
        ("LIME, rate at 8 clients", 4, [line for line in naive.lines if line.who == "naive: lime"]),
    ):
        found = {line.case: _quicker(best, line) for line in rivals}
        worst = min(found, key=lambda case: found[case])
        reached = f"{found[worst]:.1f} ({worst})"
        yield Aim(what, f"at least {times} times the naive", reached, found[worst] >= times)


def of_strain(strains: Sequence[Strain]) -> Iterator[Aim]:
    """How far apart p50 and p99 are near saturation, and what overload does."""
    q = OpenOutcome.quantile
    for s in strains:
        yield Aim(f"p99 at 70 % of saturation, {s.case}", "at most 5 times p50", f"{s.spread:.1f} times", s.spread <= 5)
        if s.over is not None:
            accepted, refused = q(s.over.accepted, 0.99), q(s.over.refused, 0.99) if s.over.refused else 0.0
            what = f"overload, {s.case}"
            yield Aim(
                f"{what}: accepted p99", f"at most {DEADLINE_MS} ms", f"{accepted:.0f} ms", accepted <= DEADLINE_MS
            )
            yield Aim(f"{what}: refused p99", "at most 50 ms", f"{refused:.0f} ms", refused <= 50)
            flat = s.late_mb <= FLAT * s.early_mb
            yield Aim(f"{what}: memory", "flat", f"{s.early_mb:.0f} MB, then {s.late_mb:.0f}", flat)


def of_size(ours: Run, naive: Run | None) -> Iterator[Aim]:
    """Start and memory."""
    yield Aim("start to the first right answer", "at most 3 s", f"{ours.first_s:.1f} s", ours.first_s <= 3)
    yield Aim("memory of a web process", f"at most {MEGABYTES} MB", f"{ours.web_mb:.0f} MB", ours.web_mb <= MEGABYTES)
    if naive is not None:
        fits = ours.total_mb <= naive.total_mb
        yield Aim(
            "memory of all processes", f"at most {naive.total_mb:.0f} MB (naive)", f"{ours.total_mb:.0f} MB", fits
        )


def of_kills(rounds: Rounds) -> Iterator[Aim]:
    """What kill -9 did."""
    done = sum(map(len, rounds.recovery.values()))
    what = f"{done} rounds of kill -9"
    yield Aim(f"{what}: wrong answers", "0", str(len(rounds.wrong)), not rounds.wrong)
    yield Aim(f"{what}: acknowledged writes lost", "0", f"{len(rounds.lost)} of {rounds.acknowledged}", not rounds.lost)
    times = sorted(t for found in rounds.recovery.values() for t in found)
    reached = f"{times[-1]:.1f} s at the worst, {sum(t <= 3 for t in times)} of {done} within"
    yield Aim(f"{what}: well again", "within 3 s", reached, times[-1] <= 3)


def _p50(line: Line) -> float:
    return line.outcomes[ONE].quantile(0.5)


def _quicker(run: Run, rival: Line) -> float:
    line = next(line for line in run.lines if line.case == rival.case and line.who == run.name)
    return line.outcomes[MANY].rate / rival.outcomes[MANY].rate
