"""Where the answers about one person may lie in the cache, found from the receipts while they can still be read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import numpy as np

from explainer.cache.key import digest
from explainer.errors import ExplainerError
from explainer.receipts.answered_by import Code
from explainer.receipts.subjects import Subjects
from explainer.records import OpenReport, Receipt
from explainer.usecases.rooms import Rooms

log = logging.getLogger(__name__)


def code_of(report: OpenReport) -> Code:
    """What of the program the numbers of an answer depend on."""
    return {**report.methods, report.library: report.library_version}


def cached_of(rooms: Rooms, mark: bytes) -> list[bytes]:
    """The keys of every answer that a subject's receipts tell of, under all code that may have given it.

    A receipt that cannot be read is left out, with a line in the log: its answer ages out of the cache. Raises
    StorageFailed.
    """
    receipts, unread = Subjects(rooms.receipts).readable(mark)
    if unread:
        log.warning("%d receipts of an erased subject could not be read: their answers age out of the cache", unread)
    return _keys(rooms, receipts)


def _keys(rooms: Rooms, receipts: Iterable[Receipt]) -> list[bytes]:
    known: dict[str, list[tuple[str, Code]]] = {}
    found: dict[bytes, None] = {}
    for receipt in receipts:
        if receipt.model_digest not in known:
            known[receipt.model_digest] = list(_answered_by(rooms, receipt))
        row = np.asarray(receipt.row, dtype=np.float64)
        for background, code in known[receipt.model_digest]:
            found[digest(receipt.model_digest, background, receipt.options, code, row)] = None
    return list(found)


def _answered_by(rooms: Rooms, receipt: Receipt) -> Iterator[tuple[str, Code]]:
    """What was noted, and what registered the version: answers from before anything was noted were given by that."""
    yield from rooms.receipts.answered_by.of(receipt.model_digest)
    try:
        version = rooms.registry.get(receipt.model, receipt.version)
        if version.digest == receipt.model_digest:
            yield version.manifest.background.sha256, code_of(rooms.registry.report(version))
    except ExplainerError as error:
        log.info("version %s of %s is not registered any more: %s", receipt.version, receipt.model, error.detail)
