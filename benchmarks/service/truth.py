"""Exact values to compare with: every coalition enumerated, for the sample rows where that is not too many."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from benchmarks.service.cases import Case, Row, body
from benchmarks.service.servers import Server

Values = dict[str, float]


def values_of(answer: Any) -> Values:
    return {a["feature"]: a["attribution"] for a in answer["explanations"][0]["attributions"]}


def enumerated(server: Server, case: Case, rows: list[Row], wanted: int) -> dict[int, Values]:
    """By row number; a row whose enumeration the service refuses as too long is passed over."""
    found: dict[int, Values] = {}
    for i, row in enumerate(rows):
        if len(found) == wanted:
            break
        settings = {**case.settings, "method": "exact"}
        answer = server.post(f"/api/v1/models/{case.model}/explain", body(row, settings))
        if "explanations" in answer:
            if not answer["explanations"][0]["method"]["exact"]:
                raise RuntimeError(f"{case.name}: the reference is not exact")
            found[i] = values_of(answer)
        elif "more than the" not in answer["detail"]:
            raise RuntimeError(f"{case.name}: no reference: {answer}")
    return found


def error(exact: dict[int, Values], ask: Callable[[int], Any], repeats: int) -> float | None:
    """Summed absolute errors over summed absolute exact values, of all rows and repeats; None without exact values."""
    off = due = 0.0
    for i, truth in exact.items():
        for _ in range(repeats):
            answered = values_of(ask(i))
            if set(answered) != set(truth):
                raise RuntimeError(f"Attributions of {sorted(answered)} were answered, {sorted(truth)} are due")
            off += sum(abs(answered[name] - truth[name]) for name in truth)
            due += sum(map(abs, truth.values()))
    return off / due if due else None


def check_adds_up(answer: Any, name: str) -> None:
    """Raises RuntimeError unless the attributions and the expected value are finite and add up to the prediction."""
    e = answer["explanations"][0]
    total = e["expected_value"] + sum(a["attribution"] for a in e["attributions"])
    if not math.isclose(total, e["prediction"], rel_tol=1e-3, abs_tol=1e-3):
        raise RuntimeError(f"{name}: attributions add up to {total}, the prediction is {e['prediction']}")
