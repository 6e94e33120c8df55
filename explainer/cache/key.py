"""Digests everything that an answer depends on, and nothing else."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Mapping
from hashlib import sha256

import numpy as np

from explainer.records import BackgroundRows, ExplainOptions, FloatArray

FORM = b"explainer cache key, form 1"
# `top` is what is shown of an answer, not the answer; an answer that was cut by a deadline is never kept.
# Every other option goes in, one that is added later included.
LEFT_OUT = frozenset({"top", "deadline_ms"})
COUNTED = tuple(sorted({field.name for field in dataclasses.fields(ExplainOptions)} - LEFT_OUT))


def digest(
    model_digest: str,
    background_digest: str,
    options: ExplainOptions,
    versions: Mapping[str, int | str],
    row: FloatArray,
) -> bytes:
    """Return 32 bytes that differ whenever the numbers of the answer may differ.

    `versions` says which code answers: every method of the model's worker with its version number. `row` is coded,
    of shape (features,); 0.0 and -0.0 are one value, and so are all NaNs. Nothing of who asks goes in.
    """
    return digests(model_digest, background_digest, options, versions, canonical(row)[np.newaxis])[0]


def digests(
    model_digest: str,
    background_digest: str,
    options: ExplainOptions,
    versions: Mapping[str, int | str],
    rows: FloatArray,
) -> list[bytes]:
    """Return the `digest` of each of the `canonical` rows, shape (rows, features)."""
    parts: list[bytes] = [_BEGIN, _measured(model_digest.encode()), _measured(background_digest.encode())]
    for name, measured in _NAMES:
        parts += (measured, _measured(_tagged(getattr(options, name))))
    parts.append(_VERSIONS)
    for name in sorted(versions):
        parts += (_measured(name.encode()), _measured(_tagged(versions[name])))
    parts.append(_ROW)
    of_all = sha256(b"".join(parts))
    found = []
    for row in rows:
        of_row = of_all.copy()
        of_row.update(_measured(row.tobytes()))
        found.append(of_row.digest())
    return found


def _measured(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


_BEGIN, _VERSIONS, _ROW = _measured(FORM), _measured(b"versions"), _measured(b"row")
_NAMES = tuple((name, _measured(name.encode())) for name in COUNTED)


def canonical(rows: FloatArray) -> FloatArray:
    """Return the rows with 0.0 for -0.0 and one NaN for all, as little-endian float64: what is digested."""
    plain = np.array(rows, dtype="<f8") + 0.0
    plain[np.isnan(plain)] = np.nan
    return plain


def _tagged(value: str | int | float | bool | BackgroundRows | None) -> bytes:
    match value:
        case None:
            return b"none"
        case bool():
            return b"bool" + bytes([value])
        case int():
            return b"int" + str(value).encode()
        case float():
            return b"float" + struct.pack("<d", value + 0.0)
        case str():
            return b"str" + value.encode()
        case BackgroundRows():
            return b"rows" + value.digest.encode()
    raise TypeError(f"A value of type {type(value).__name__} has no place in a cache key.")
