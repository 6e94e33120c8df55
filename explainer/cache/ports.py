"""The form of a tier: where answers may be found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Tier(Protocol):
    """Bytes by key. A tier may forget anything at any time; it never answers other bytes than were put."""

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]: ...

    def put(self, values: Mapping[bytes, bytes]) -> None: ...
