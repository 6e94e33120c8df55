"""Puts and gets values where a test does not care when they were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from explainer.cache.lifetime import now_ms
from explainer.cache.ports import Entry, Tier


def put(tier: Tier, values: Mapping[bytes, bytes]) -> None:
    now = now_ms()
    tier.put({key: Entry(value, now) for key, value in values.items()})


def get(tier: Tier, keys: Iterable[bytes]) -> dict[bytes, bytes]:
    return {key: entry.value for key, entry in tier.get(keys).items()}
