"""Proves that the null twin can stand wherever meters stand."""

from __future__ import annotations

import inspect

from explainer.monitoring.meters import Meters, NoMeters
from explainer.monitoring.recording import FileMeters


def public(kind: type) -> dict[str, inspect.Signature]:
    return {n: inspect.signature(f) for n, f in vars(kind).items() if inspect.isfunction(f) and not n.startswith("_")}


def test_both_have_the_methods_of_the_port_and_no_others() -> None:
    """Names, parameters and types are the same, to the letter."""
    assert public(NoMeters) == public(Meters)
    assert public(FileMeters) == public(Meters)


def test_the_null_twin_does_nothing_and_lets_errors_through() -> None:
    """A stage is entered and left; a request is answered; nothing is traced."""
    meters = NoMeters()
    with meters.stage("compute"):
        meters.asked("GET", "/healthz", {}).answered(200)
    assert meters.traceparent() is None
