"""A registered forest and a file of rows, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.records import ModelVersion
from explainer.settings import Settings
from tests.exports.models import csv_of, drawn, register


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, ModelVersion]:
    return register(tmp_path_factory.mktemp("registered"))


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 rows, three of them bad."""
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_text(csv_of(drawn(3000)), encoding="utf-8")
    return path
