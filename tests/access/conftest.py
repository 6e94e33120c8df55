"""A clock that is set by hand, and passwords that cost little."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from explainer.access.admit import Access
from explainer.access.passwords import Passwords
from explainer.access.providers import Grant, Provider
from tests.access.identity_provider import AUDIENCE, CLIENT, SECRET, IdentityProvider, running


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


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with running() as provider:
        yield provider


def trusted(idp: IdentityProvider, folder: Path, **changed: Any) -> Provider:
    """The provider as our settings would name it: for programs and for people."""
    secret = folder / "client-secret"
    secret.write_text(f"{SECRET}\n")
    grants = (Grant("groups", "credit-risk", "reviewer", ("credit",)), Grant("groups", "it", "administrator"))
    known = Provider("corporate", idp.issuer, grants, (AUDIENCE,), client_id=CLIENT, client_secret_file=secret)
    return dataclasses.replace(known, **changed)
