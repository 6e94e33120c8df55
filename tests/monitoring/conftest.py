"""Meters in a folder of this test's own, and what Prometheus would read of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from explainer.monitoring.cells import Cells
from explainer.monitoring.page import Readings, page
from explainer.monitoring.recording import LIVE, FileMeters

READINGS = Readings(ready=True, models=3, ledger_head=41, disk_free=10, disk_size=20)


@dataclass(frozen=True)
class Measured:
    folder: Path
    meters: FileMeters

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return samples(page(self.folder, READINGS))

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples().get((name, tuple(sorted(labels.items()))))


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What Prometheus's own parser reads."""
    families = text_string_to_metric_families(text.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    return Measured(tmp_path, FileMeters(Cells(tmp_path, "web", LIVE)))
