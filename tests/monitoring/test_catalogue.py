"""Proves that metrics are named as Prometheus asks, and that no label can hold a person or a value."""

from __future__ import annotations

import re

from explainer.monitoring.catalogue import METRICS, STAGES
from explainer.monitoring.layout import WIDEST

LABELS = {
    *("method", "route", "status", "status_class", "code", "stage", "model", "version", "cache", "output", "tier"),
    *("outcome", "reason", "worker", "role", "process", "python", "state"),
}


def test_names_follow_the_conventions_of_prometheus() -> None:
    """Lower case with the prefix `explainer_`; counters, and nothing else, end in `_total`; times are in seconds."""
    for name, metric in METRICS.items():
        assert re.fullmatch(r"explainer_[a-z]+(_[a-z]+)*", name), name
        assert name.endswith("_total") == (metric.kind == "counter"), name
        assert not re.search(r"_(ms|milliseconds|kb|mb|percent)(_|$)", name), name
        assert metric.help.endswith("."), name


def test_every_label_is_of_a_bounded_kind() -> None:
    """Labels are the few that were agreed; none is a principal, a request, an address or a value."""
    assert {label for metric in METRICS.values() for label in metric.labels} == LABELS


def test_buckets_grow_and_fit_a_file() -> None:
    """The bounds of each histogram are ascending, and its floats fit one entry."""
    for metric in METRICS.values():
        assert list(metric.bounds) == sorted(set(metric.bounds))
        assert (metric.kind == "histogram") == bool(metric.bounds)
        assert len(metric.bounds) + 2 <= WIDEST


def test_the_stages_are_those_of_an_explanation() -> None:
    """The names of stages are a fixed few."""
    assert STAGES == ("admit", "registry", "cache", "queue", "compute", "disclose", "record")
