"""A clock that is set by hand, and passwords that cost little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from explainer.access.admit import Access
from explainer.access.passwords import Passwords


class HandClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def cheap() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def access(tmp_path: Path, clock: HandClock, cheap: Passwords) -> Access:
    return Access(tmp_path / "access.db", passwords=cheap, clock=clock)
