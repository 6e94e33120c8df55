"""Proves that settings become meters, and that opening them does nothing yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.monitoring.gathering import tallies
from explainer.monitoring.opening import meters_of
from explainer.monitoring.page import FOLDER
from explainer.settings import Settings, SettingsError


def test_a_file_is_claimed_by_the_first_count(tmp_path: Path) -> None:
    """A process that forks before it counts leaves no file behind; the role is in the name."""
    meters = meters_of(Settings(var=tmp_path), "dispatcher")
    assert not (tmp_path / FOLDER).exists()
    meters.queued("credit", 1)
    assert [(t.role, t.alive) for t in tallies(tmp_path / FOLDER)] == [("dispatcher", True)]


def test_nothing_is_traced_unless_a_collector_is_named(tmp_path: Path) -> None:
    """Without the setting there is no traceparent; with a bad one the start is refused."""
    asked = meters_of(Settings(var=tmp_path), "web")
    asked.asked("GET", "/healthz", {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert asked.traceparent() is None
    with pytest.raises(SettingsError, match="EXPLAINER_OTEL_ENDPOINT"):
        meters_of(Settings(var=tmp_path, otel_endpoint="collector"), "web")
