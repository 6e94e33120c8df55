"""Particulars and words of verdicts as bytes, sealed by whoever holds the keys of the file."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from explainer.reviews.decision import Particulars


class Covers(Protocol):
    """Seals for a place and an owner, whose key may be destroyed; marks stand for names that nobody can try out."""

    def mark(self, subject: str) -> bytes: ...

    def cover_bytes(
        self, connection: sqlite3.Connection, owner: bytes, plain: bytes, place: Sequence[str]
    ) -> tuple[bytes, int | None]: ...

    def uncover_bytes(self, kept: bytes, number: int | None, place: Sequence[str]) -> bytes: ...


def particulars_bytes(particulars: Particulars) -> bytes:
    return orjson.dumps({f.name: getattr(particulars, f.name) for f in dataclasses.fields(particulars)})


def particulars_of(plain: bytes) -> Particulars:
    given: dict[str, Any] = orjson.loads(plain)
    return Particulars(**{**given, "row": tuple(given["row"]), "warnings": tuple(given["warnings"])})


def owner_of(decision: str, subject: bytes | None) -> bytes:
    """Whose key seals: the subject's in the rooms of reviews, or the decision's own."""
    return b"review " + (subject if subject is not None else decision.encode())
