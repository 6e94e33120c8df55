"""Prints what was measured as tables."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.service.client import Outcome
from benchmarks.service.measuring import CLIENTS, Line, Run

WIDTH = 44
_HEADS = f"{'p50':>8}{'p95':>8}{'p99':>8}{'per s':>9}  "


def paces(runs: Sequence[Run]) -> None:
    """Milliseconds, requests a second and errors, by case."""
    print(f"{'':{WIDTH}}" + "".join(f"{_clients(n):^35}" for n in CLIENTS))
    print(
        f"{'milliseconds':{WIDTH}}" + f"{'p50':>8}{'p95':>8}{'p99':>8}{'per s':>9}  " * len(CLIENTS) + f"{'error':>8}"
    )
    lines = [line for run in runs for line in run.lines]
    for case in dict.fromkeys(line.case for line in lines):
        print(case)
        for line in lines:
            if line.case == case:
                cells = " ".join(_cells(line.outcomes[n]) for n in CLIENTS)
                print(f"  {line.who:{WIDTH - 2}}{cells} {_error(line.error):>8}")
    for line in lines:
        for n, outcome in line.outcomes.items():
            if outcome.refused:
                total = outcome.refused + len(outcome.latencies)
                print(f"* {line.case}, {line.who}, {_clients(n)}: {outcome.refused} of {total} refused with 429 or 503")


def _cells(outcome: Outcome) -> str:
    n = len(outcome.latencies)
    shown = [(0.5, 1), (0.95, 20), (0.99, 100)]
    return "".join(f"{outcome.quantile(q):8.1f}" if n >= least else f"{'-':>8}" for q, least in shown) + (
        f"{outcome.rate:9.1f}{'*' if outcome.refused else ' '}"
    )


def _error(error: float | None) -> str:
    return "" if error is None else "0" if error < 1e-6 else f"{error:.4f}"


def servers(runs: Sequence[Run]) -> None:
    """Start and memory of each server."""
    print(f"{'':{WIDTH}}{'first answer':>14}{'all cases':>12}{'peak PSS':>12}{'web process':>13}{'processes':>11}")
    for run in runs:
        start = f"{run.first_s:12.1f} s{run.all_s:10.1f} s" if run.first_s else f"{'':26}"
        print(f"{run.name:{WIDTH}}{start}{run.total_mb:9.0f} MB{run.web_mb:10.0f} MB{run.processes:11}")


def beside_echo(floor: Line, ours: Run) -> None:
    """How much dearer a cached answer is than sending the request back."""
    print(f"{'cached, beside ' + floor.who:{WIDTH}}{'p50 at 1 client':>18}{'rate at 8 clients':>20}")
    one, eight = (floor.outcomes[n] for n in CLIENTS)
    for line in ours.lines:
        if line.who.endswith("cached"):
            slower = line.outcomes[CLIENTS[0]].quantile(0.5) / one.quantile(0.5)
            share = line.outcomes[CLIENTS[-1]].rate / eight.rate
            print(f"  {line.case:{WIDTH - 2}}{slower:12.2f} times{share:20.0%}")


def beside_naive(ours: Sequence[Run], naive: Run) -> None:
    """How much quicker a computed answer is than a naive one, for each of our settings."""
    print(f"{'not cached, beside the naive service':{2 * WIDTH - 16}}" + "".join(f"{run.name:>28}" for run in ours))
    print(f"{'':{2 * WIDTH - 16}}" + f"{'p50, 1 client':>16}{'rate, 8':>12}" * len(ours))
    for rival in naive.lines:
        print(f"  {rival.case:25}{rival.who:{2 * WIDTH - 43}}" + "".join(_quicker(run, rival) for run in ours))


def _quicker(run: Run, rival: Line) -> str:
    line = next(line for line in run.lines if line.case == rival.case and line.who == run.name)
    one, eight = CLIENTS[0], CLIENTS[-1]
    quicker = rival.outcomes[one].quantile(0.5) / line.outcomes[one].quantile(0.5)
    return f"{quicker:15.1f}x{line.outcomes[eight].rate / rival.outcomes[eight].rate:11.1f}x"


def effort(runs: Sequence[Run]) -> float:
    """The largest share of one core that the client took in any measurement."""
    return max(outcome.busy for run in runs for line in run.lines for outcome in line.outcomes.values())


def _clients(n: int) -> str:
    return f"{n} client" + ("s" if n > 1 else "")
