"""What is known of an export: who asked, in which state it is, how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explainer.exports.spec import Spec

State = Literal["queued", "running", "paused", "done", "failed", "cancelled", "expired"]
OPEN: tuple[State, ...] = ("queued", "running", "paused")


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows so far; `read` and `total` are in bytes of the input (Parquet: rows)."""

    chunks: int = 0
    explained: int = 0
    rejected: int = 0
    skipped: int = 0
    read: int = 0
    total: int | None = None

    @property
    def rows(self) -> int:
        return self.explained + self.rejected + self.skipped


@dataclass(frozen=True, slots=True)
class Job:
    """One export. Times are seconds since 1970; `seconds` is how long it has been computed, over all its starts."""

    id: str
    principal: str
    role: str
    state: State
    priority: int
    created: float
    spec: Spec
    progress: Progress
    started: float | None = None
    ended: float | None = None
    expires: float | None = None
    seconds: float = 0.0
    error: str | None = None
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A finished chunk as the store keeps it; `source` is the SHA-256 of its input."""

    number: int
    source: str
    explained: int
    rejected: int
    skipped: int
    read: int
    rows_sha256: str
    rejects_sha256: str
