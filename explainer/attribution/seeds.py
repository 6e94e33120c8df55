"""The seed of a row's sampling where the caller sets none: a digest of everything that the answer depends on."""

from __future__ import annotations

import hashlib

from explainer.attribution.maskers import canonical
from explainer.attribution.ports import Ask, Method, Subject
from explainer.records import FloatArray

LIMIT = 1 << 63


def derived(subject: Subject, row: FloatArray, method: Method, ask: Ask) -> int:
    """A 63-bit seed from the digests of model and background, the coded row, the method and its settings.

    Which classes are asked for and the deadline are left out on purpose: a row's classes then share their samples,
    so that they agree with one another, and a deadline shortens the sampling without changing its course.
    """
    goals = () if ask.separate is None else (ask.separate,)
    settings = (method.name, method.version, ask.space, ask.tolerance, ask.max_evaluations, ask.confidence, *goals)
    digest = hashlib.sha256()
    for part in (subject.model_digest, subject.background.digest, repr(settings)):
        digest.update(hashlib.sha256(part.encode()).digest())
    digest.update(canonical(row).tobytes())
    return int.from_bytes(digest.digest()[:8], "big") % LIMIT
