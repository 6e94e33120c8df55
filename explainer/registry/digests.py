"""Names what an answer depends on by what it holds: SHA-256 of files, of a version, of a background."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from explainer.records import DecisionSpec, Feature, FloatArray, Manifest

LATER_OF_FEATURES = frozenset({"step", "changes"})
LATER_OF_DECISIONS = frozenset({"adverse_when", "reference", "reasons", "due_days", "jurisdiction", "verdict_reasons"})


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal, read in pieces; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def model_digest(manifest: Manifest, files: Mapping[str, str]) -> str:
    """Return the digest of a version: its manifest's content and the checksum of every file beside it, by name.

    Two manifests that differ only in comments, order of keys or spelled-out defaults have one digest. What a manifest
    may say since a later version of this program counts only where it is said: versions registered before keep theirs.
    """
    content = dataclasses.asdict(manifest)
    content["features"] = [_without(feature, Feature, LATER_OF_FEATURES) for feature in content["features"]]
    if content["decision"] is not None:
        content["decision"] = _without(content["decision"], DecisionSpec, LATER_OF_DECISIONS)
    return bytes_digest(canonical({"manifest": content, "files": dict(files)}))


def _without(
    content: dict[str, Any], kind: type[Feature] | type[DecisionSpec], later: frozenset[str]
) -> dict[str, Any]:
    """Leave out what came later and has its default."""
    defaults = {f.name: f.default for f in dataclasses.fields(kind) if f.name in later}
    return {name: value for name, value in content.items() if name not in defaults or value != defaults[name]}


def background_digest(features: Sequence[Feature], coded: FloatArray) -> str:
    """Return the digest of coded background rows (rows, features) under the schema that gives them their meaning."""
    schema = [[f.name, f.type, f.categories] for f in features]
    digest = hashlib.sha256(canonical({"schema": schema, "shape": coded.shape}))
    digest.update(np.ascontiguousarray(coded, dtype="<f8").tobytes())
    return digest.hexdigest()


def canonical(value: Any) -> bytes:
    """Return JSON in one form only: sorted keys, no blanks, shortest round-trip numbers, UTF-8.

    This is RFC 8785 but for the order of keys beyond U+FFFF (code points here, UTF-16 there) and the spelling of
    numbers of extreme size; we only ever compare our own digests with each other.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
