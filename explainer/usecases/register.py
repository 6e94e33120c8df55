"""A model comes in: checked, tried in a throw-away worker, and only then visible."""

from __future__ import annotations

from pathlib import Path

from explainer.access.permissions import Permission
from explainer.records import ModelVersion
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

TRIAL_ROWS = 3  # background rows that are predicted and explained before a version becomes visible


def register(rooms: Rooms, caller: Caller, path: Path) -> ModelVersion:
    """Raises ModelRefused with every reason, Conflict when the version exists; then nothing is half-registered."""
    with recorded(rooms.ledger, caller, "version:create") as note:
        rooms.access.require(caller.principal, Permission.VERSION_CREATE)
        candidate = rooms.registry.check(path)
        note["model"], note["version"] = candidate.manifest.name, candidate.manifest.version
        order = candidate.order()
        report = rooms.workers.trial(order, order.background[:TRIAL_ROWS])
        version = rooms.registry.admit(candidate, report)
        note["digest"] = version.digest
        return version


def retire(rooms: Rooms, caller: Caller, name: str, version: str) -> ModelVersion:
    """Take a version out of service; its receipts and its ledger entries stay."""
    with recorded(rooms.ledger, caller, "version:retire", model=name, version=version):
        rooms.access.require(caller.principal, Permission.VERSION_RETIRE, name)
        return rooms.registry.retire(name, version)
