"""The running service tells its numbers, right over all its processes, and no line of it holds what was sent."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

from tests.monitoring.conftest import samples
from tests.service.conftest import Service

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
PLANTED = "plantedvalue987"
COUNTERS = ("_total", "_bucket", "_count", "_sum")


def metrics(service: Service) -> Samples:
    return samples(service.call("GET", "/metrics").body.encode())


def explained(found: Samples) -> float:
    """Requests to explain that were answered 200."""
    wanted = {("method", "POST"), ("route", "/api/v1/models/{name}/explain"), ("status", "200")}
    return sum(
        v for (name, labels), v in found.items() if name == "explainer_http_requests_total" and wanted <= set(labels)
    )


def web_processes(service: Service) -> list[int]:
    """The processes that answer requests: children of the web door of this service."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"explainer.wsgi" in words and any(str(service.var).encode() in word for word in words):
                found[int(entry.name)] = parent
    return [pid for pid, parent in found.items() if parent in found]


def test_requests_are_counted_over_all_processes(service: Service) -> None:
    """Whichever process is asked tells the same sum, and what a request did is in it."""
    rows = service.samples("credit-gbm")[:3]
    before = metrics(service)
    for seed in range(6):
        assert service.explain("credit-gbm", rows, method="permutation", seed=seed).status == 200
    for _ in range(4):
        after = metrics(service)
        assert explained(after) - explained(before) == 6
    by = (("method", "permutation"), ("model", "credit-gbm"))
    evaluations = ("explainer_evaluations_total", by)
    assert after[evaluations] > before.get(evaluations, 0)
    misses = ("explainer_explained_rows_total", (("cache", "miss"), ("model", "credit-gbm")))
    assert after[misses] - before.get(misses, 0) == 18
    assert after["explainer_ready", ()] == 1
    assert after["explainer_processes", (("role", "dispatcher"),)] >= 1  # one that has just ended is counted yet
    assert after["explainer_batch_rows_count", (("model", "credit-gbm"),)] > 0
    assert after["explainer_workers", (("model", "credit-gbm"), ("version", "1.0"))] >= 1
    assert after["explainer_stage_duration_seconds_count", (("stage", "queue"),)] > 0
    heads = [m["explainer_ledger_head", ()] for m in (before, after)]
    entries = [m["explainer_ledger_entries_total", ()] for m in (before, after)]
    assert heads[1] - heads[0] == entries[1] - entries[0]


def test_no_count_falls_when_a_web_process_is_killed(service: Service) -> None:
    """kill -9 under load: at the end at least every answer that arrived is counted, and no scrape is below another."""
    row, answered, stop = service.samples("credit-xgb")[:1], [0], threading.Event()
    before = metrics(service)
    begun = explained(before)

    def load() -> None:
        while not stop.is_set():
            try:
                answered[0] += service.explain("credit-xgb", row).status == 200
            except OSError:
                continue  # the process that was asked was killed

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for _ in range(3):
            time.sleep(0.5)
            os.kill(web_processes(service)[0], signal.SIGKILL)
            time.sleep(1.5)
            now = metrics(service)
            fallen = [k for k, v in before.items() if k[0].endswith(COUNTERS) and "cpu" not in k[0] and now[k] < v]
            assert fallen == []
            before = now
    finally:
        stop.set()
        thread.join()
    assert answered[0] > 0
    assert explained(metrics(service)) - begun >= answered[0]


def test_no_line_holds_what_was_sent(service: Service) -> None:
    """Values in good and bad rows, bodies, addresses, queries, headers, names and keys: none is in any line."""
    log = service.var / "server.log"
    begin = log.stat().st_size
    row = dict(service.samples("diabetes-forest")[0])
    feature = next(name for name, value in row.items() if isinstance(value, float))
    odd = row[feature] + 1.23456789e-6
    assert service.explain("diabetes-forest", [{**row, feature: odd}]).status == 200
    assert service.explain("diabetes-forest", [{**row, feature: PLANTED}]).status == 422
    assert service.explain("diabetes-forest", [{**row, PLANTED: 1}]).status == 422
    assert service.explain(PLANTED, [row]).status in {403, 404}
    path = "/api/v1/models/diabetes-forest/explain"
    assert service.call("POST", path, raw=b'{"' + PLANTED.encode()).status == 400
    assert service.call("POST", f"{path}?row={PLANTED}", {"instances": [row]}).status == 200
    assert service.call("GET", f"/{PLANTED}").status == 404
    assert service.call("GET", "/api/v1/models", Authorization=f"Bearer {PLANTED}").status == 401
    assert service.call("GET", "/api/v1/models", User_Agent=PLANTED, X_Row=PLANTED).status == 200
    until = time.monotonic() + 5
    while (text := log.read_bytes()[begin:].decode()).count("http.request") < 9 and time.monotonic() < until:
        time.sleep(0.05)
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "http.request"]
    assert len(requests) >= 9
    assert {"request_id", "route", "status", "duration_ms", "process"} <= set(requests[0])
    assert PLANTED not in text.lower()
    assert repr(odd) not in text
    assert service.key not in log.read_text()


def test_asking_whether_it_is_ready_writes_no_lines(service: Service) -> None:
    """Probes come every few seconds for years."""
    log = service.var / "server.log"
    for _ in range(5):
        assert service.call("GET", "/readyz").status == 200
    assert "readyz" not in log.read_text()
