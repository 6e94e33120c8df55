"""The page that Prometheus reads: what all processes counted, and what is looked up at this moment."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explainer import __version__
from explainer.monitoring import catalogue as of
from explainer.monitoring import cells, processes
from explainer.monitoring.catalogue import METRICS, Metric
from explainer.monitoring.gathering import Tally, Values, combined, tallies
from explainer.monitoring.layout import Key
from explainer.monitoring.recording import LIVE
from explainer.monitoring.slots import PLACE

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

LARGEST: Final = frozenset(m.name for m in METRICS.values() if m.largest)
FOLDER: Final = cells.FOLDER
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Readings:
    """What only the rooms know; None: it could not be found out, and is left out."""

    ready: bool
    models: int | None
    ledger_head: int | None
    disk_free: int | None
    disk_size: int | None
    exports: Mapping[str, int] | None = None  # how many are in each state
    agreement: Mapping[str, float] | None = None  # of the best clone of each model


def page(folder: Path, readings: Readings) -> bytes:
    """Return the metrics of all processes that have files in `folder`, as Prometheus text."""
    found = tallies(folder)
    values = combined(found, LIVE, LARGEST)
    values |= _house(readings) | _processes(found) | _workers(values)
    return _text(values)


def _house(readings: Readings) -> Values:
    single = {
        of.READY: float(readings.ready),
        of.REGISTERED: readings.models,
        of.LEDGER_HEAD: readings.ledger_head,
        of.DISK_FREE: readings.disk_free,
        of.DISK_SIZE: readings.disk_size,
    }
    values: Values = {(metric.name,): (float(value),) for metric, value in single.items() if value is not None}
    values |= {(of.EXPORTS.name, state): (float(count),) for state, count in (readings.exports or {}).items()}
    values |= {(of.AGREEMENT.name, model): (agree,) for model, agree in (readings.agreement or {}).items()}
    values[of.BUILD.name, __version__, platform.python_version()] = (1.0,)
    return values


def _processes(found: Iterable[Tally]) -> Values:
    values: Values = {}
    for tally in found:
        used = processes.usage(tally.owner.pid) if tally.alive else None
        if used is not None:
            at = (tally.role, tally.number)
            values[of.PROCESS_START.name, *at] = (tally.owner.born,)
            values[of.PROCESS_MEMORY.name, *at] = (used.memory_bytes,)
            values[of.PROCESS_CPU.name, *at] = (used.cpu_seconds,)
            (before,) = values.get((of.PROCESSES.name, tally.role), (0.0,))
            values[of.PROCESSES.name, tally.role] = (before + 1,)
    return values


def _workers(values: Values) -> Values:
    read: Values = {}
    for key, (pid,) in ((k, v) for k, v in values.items() if k[0] == PLACE):
        used = processes.usage(int(pid)) if pid else None
        if used is not None:
            read[of.WORKER_MEMORY.name, *key[1:]] = (used.memory_bytes,)
            read[of.WORKER_CPU.name, *key[1:]] = (used.cpu_seconds,)
    return read


def _text(values: Values) -> bytes:
    from prometheus_client import CollectorRegistry, generate_latest  # 20 ms that only who reads metrics waits for

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(values))
    return generate_latest(registry)


class _Families:
    """What prometheus_client asks for the metrics; one without any value yet is shown with its help alone."""

    def __init__(self, values: Values) -> None:
        self._by_metric: dict[str, dict[Key, tuple[float, ...]]] = {name: {} for name in METRICS}
        for (name, *labels), numbers in values.items():
            if name in METRICS and len(labels) == len(METRICS[name].labels):
                self._by_metric[name][tuple(labels)] = numbers

    def collect(self) -> Iterator[Family]:
        for name, metric in METRICS.items():
            yield _family(metric, self._by_metric[name])


def _family(metric: Metric, series: Mapping[Key, tuple[float, ...]]) -> Family:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, numbers in sorted(series.items()):
            if len(numbers) == len(metric.bounds) + 2:
                histogram.add_metric(labels, _buckets(metric, numbers), numbers[-1])
        return histogram
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, numbers in sorted(series.items()):
        family.add_metric(labels, numbers[0])
    zeros: list[Key] = [(value,) for value in metric.known] if metric.labels or metric.read else [()]
    for labels in zeros:
        if labels not in series:
            family.add_metric(labels, 0.0)
    return family


def _buckets(metric: Metric, numbers: tuple[float, ...]) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for bound, number in zip((*(f"{b:g}" for b in metric.bounds), "+Inf"), numbers, strict=False):
        total += number
        buckets.append((bound, total))
    return buckets
