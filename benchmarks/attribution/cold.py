"""A cold start of the whole service: seconds to the first right answer, and the first requests beside the warm ones.

`python -m benchmarks.attribution.cold`. The demo models are built and registered first. Each start is a new process; a
request's seed is new each time, so no answer comes from a cache; each opens a connection. *Compiled before* is what the
install step leaves behind; with nothing compiled, every kernel is compiled within the start (NUMBA_CACHE_DIR is empty).
"""

from __future__ import annotations

import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.machine import description
from benchmarks.service.bench import Bench
from benchmarks.service.cases import CASES, body
from benchmarks.service.client import SEED
from benchmarks.service.measuring import Extent, Question, path_of
from benchmarks.service.servers import Server, explainer_command, first_answer, free_port, running
from benchmarks.service.truth import error

EXTENT = Extent(seconds=0.3, least=1, exact_rows=1, repeats=1, warm=4, cases=CASES)
STARTS = 5
WARM = 30  # requests that the warm median is of
SLOWEST = 180.0  # seconds that a start may take
SEEDS = count(10**8)


@dataclass(slots=True)
class Start:
    """Seconds from the start to the first right answer; of each case those of the first request and of the warm one."""

    answered: float = 0.0
    first: dict[str, float] = field(default_factory=dict)
    warm: dict[str, float] = field(default_factory=dict)


def asked(server: Server, question: Question, row: int) -> Any:
    text = body(question.rows[row], question.case.settings, fresh=True).replace(SEED.decode(), str(next(SEEDS)))
    answer = server.post(path_of(question.case), text)
    if "explanations" not in answer:
        raise RuntimeError(f"{question.case.name}: {answer}")
    return answer


def timed(server: Server, question: Question, row: int) -> float:
    began = time.perf_counter()
    asked(server, question, row)
    return time.perf_counter() - began


def right(server: Server, question: Question) -> None:
    """Wait for the first answer, and raise RuntimeError unless it is the exact one."""
    row = next(iter(question.exact))
    text = body(question.rows[row], question.case.settings, fresh=True).replace(SEED.decode(), str(next(SEEDS)))
    answer = first_answer(server, path_of(question.case), text, SLOWEST)
    off = error({row: question.exact[row]}, lambda _: answer, 1)
    if off is None or off > 1e-5:
        raise RuntimeError(f"{question.case.name}: the first answer was wrong by {off}")


def ready(server: Server) -> None:
    """Wait until the service says that it is ready."""
    until = time.monotonic() + SLOWEST
    while time.monotonic() < until:
        server.check_alive()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=10):
                return
        except OSError:  # nobody listens yet, or 503
            time.sleep(0.02)
    raise RuntimeError(f"The service was not ready after {SLOWEST:.0f} s.")


def started(bench: Bench, questions: list[Question], **more: str) -> Start:
    """Two starts: one is asked until it answers, the other, once it is ready, each case for the first time."""
    found = Start()
    for purpose in ("answer", "cases"):
        port = free_port()
        environment = bench.environment | more
        with running("explainer", explainer_command(port), port, bench.folder, environment, bench.headers) as server:
            if purpose == "answer":
                right(server, questions[0])
                found.answered = time.monotonic() - server.began
                continue
            ready(server)
            for q in questions:
                found.first[q.case.name] = timed(server, q, 0)
            for q in questions:
                found.warm[q.case.name] = statistics.median(timed(server, q, i % len(q.rows)) for i in range(WARM))
    return found


def lines(starts: list[Start], questions: list[Question]) -> Iterator[str]:
    answered = [s.answered for s in starts]
    middle, worst = statistics.median(answered), max(answered)
    yield f"start to the first right answer: {middle:.1f} s (worst of {len(starts)}: {worst:.1f} s)"
    for name in (q.case.name for q in questions):
        first, warm = [s.first[name] for s in starts], statistics.median(s.warm[name] for s in starts)
        yield (
            f"{name:28} first request {statistics.median(first) * 1e3:7.1f} ms (worst {max(first) * 1e3:7.1f}), "
            f"warm {warm * 1e3:7.1f} ms, ratio {statistics.median(first) / warm:4.1f}"
        )


def main() -> None:
    print(description())
    with tempfile.TemporaryDirectory(prefix="explainer-cold-") as folder:
        bench = Bench(Path(folder), EXTENT)
        questions = bench.questions()
        print(f"\ncompiled before ({STARTS} times):", flush=True)
        for told in lines([started(bench, questions) for _ in range(STARTS)], questions):
            print(told, flush=True)
        empty = Path(folder) / "numba"
        empty.mkdir()
        port = free_port()
        more = {"NUMBA_CACHE_DIR": str(empty)}
        environment = bench.environment | more
        with running("compiling", explainer_command(port), port, bench.folder, environment, bench.headers) as server:
            right(server, questions[0])
            spent = time.monotonic() - server.began
        print(f"\nnothing compiled: start to the first right answer {spent:.1f} s, once", flush=True)


if __name__ == "__main__":
    main()
