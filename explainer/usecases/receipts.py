"""What was answered, and the same answer again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explainer.access.permissions import Permission
from explainer.disclosure.levels import Policy
from explainer.disclosure.policy import disclose
from explainer.errors import NotFound
from explainer.records import Explanation, ModelVersion, Receipt
from explainer.registry.rows import row_values
from explainer.usecases.answering import Answer
from explainer.usecases.guarding import policy
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served


@dataclass(frozen=True, slots=True)
class Shown:
    """`items` is what this reader may see of the explanations, by the policy."""

    receipt: Receipt
    version: ModelVersion
    items: list[dict[str, Any]]
    explanations: tuple[Explanation, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class Replayed:
    """`identical` when every number came out the same to the bit; else `largest_difference` says how far."""

    receipt: Receipt
    identical: bool
    largest_difference: float


def show_receipt(rooms: Rooms, caller: Caller, receipt_id: str) -> Shown:
    """Raises NotFound for a receipt that is not there or belongs to somebody this caller may not read."""
    with recorded(rooms.ledger, caller, "receipt:read", receipt=receipt_id):
        receipt = _readable(rooms, caller, receipt_id, Permission.RECEIPT_READ)
        version = _version_of(rooms, receipt)
        features = version.manifest.features
        (values,) = row_values(features, np.array([receipt.row]))
        explanations = Answer(receipt.answer, True).explanations
        shows = policy(rooms, caller, receipt.model)
        items = [disclose(e, features, values, shows, receipt.options.top) for e in explanations]
        return Shown(receipt, version, items, explanations, shows)


def replay_receipt(rooms: Rooms, serving: Served, caller: Caller, receipt_id: str) -> Replayed:
    """Compute the answer anew, past the cache, and compare all its numbers."""
    with recorded(rooms.ledger, caller, "receipt:replay", receipt=receipt_id) as note:
        receipt = _readable(rooms, caller, receipt_id, Permission.RECEIPT_REPLAY)
        version = _version_of(rooms, receipt)
        serving.opened(version)
        then = Answer(receipt.answer, True).explanations
        options = receipt.options
        if options.deadline_ms is not None:
            options = replace(options, deadline_ms=None, max_evaluations=max(e.method.evaluations for e in then))
        now = rooms.workers.explain(version.digest, np.array([receipt.row]), options, caller.asking())[0]
        gap = _largest_difference(then, now)
        note["identical"] = gap == 0.0
        return Replayed(receipt, gap == 0.0, gap)


def _readable(rooms: Rooms, caller: Caller, receipt_id: str, permission: Permission) -> Receipt:
    receipt = rooms.receipts.get(receipt_id)
    if receipt.principal != caller.principal.id and not rooms.access.may(caller.principal, Permission.RECEIPT_READ_ALL):
        raise NotFound(f"There is no receipt {receipt_id}.")
    rooms.access.require(caller.principal, permission, receipt.model)
    return receipt


def _version_of(rooms: Rooms, receipt: Receipt) -> ModelVersion:
    version = rooms.registry.get(receipt.model, receipt.version)
    if version.digest != receipt.model_digest:
        raise NotFound(f"The version that answered receipt {receipt.id} is no longer registered: its digest differs.")
    return version


def _largest_difference(then: tuple[Explanation, ...], now: tuple[Explanation, ...]) -> float:
    pairs = [(a, b) for t, n in zip(then, now, strict=True) for a, b in zip(_numbers(t), _numbers(n), strict=True)]
    gaps = [math.inf if (a is None) != (b is None) else abs((a or 0.0) - (b or 0.0)) for a, b in pairs]
    return max(gaps)


def _numbers(e: Explanation) -> tuple[float | None, ...]:
    return (e.prediction, e.expected_value, *e.attributions, *e.standard_errors)
