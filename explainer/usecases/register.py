"""A model comes in: checked, tried and vetted in a throw-away worker, and only then visible."""

from __future__ import annotations

from pathlib import Path

from explainer.access.permissions import Permission
from explainer.records import ModelVersion
from explainer.registry.approval import pending
from explainer.registry.giveaway import giveaway
from explainer.registry.vetting import background_findings
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

TRIAL_ROWS = 3  # background rows that are predicted and explained before a version becomes visible


def register(rooms: Rooms, caller: Caller, path: Path) -> ModelVersion:
    """Return the version, which awaits approval where a finding blocks it or the settings ask for one.

    Raises ModelRefused with every reason, Conflict when the version exists; then nothing is half-registered.
    """
    with recorded(rooms.ledger, caller, "version:create") as note:
        rooms.access.require(caller.principal, Permission.VERSION_CREATE)
        candidate = rooms.registry.check(path)
        note["model"], note["version"] = candidate.manifest.name, candidate.manifest.version
        order = candidate.order()
        tried = rooms.workers.trial(order, order.background[:TRIAL_ROWS])
        findings = (*tried.findings, *background_findings(candidate), *giveaway(candidate.manifest, tried.report))
        version = rooms.registry.admit(candidate, tried.report, findings, caller.principal.id)
        note["digest"] = version.digest
        if findings:
            note["findings"] = ", ".join(finding.code for finding in findings)
        if pending(version):
            note["pending"] = True
        return version


def retire(rooms: Rooms, caller: Caller, name: str, version: str) -> ModelVersion:
    """Take a version out of service; its receipts and its ledger entries stay."""
    with recorded(rooms.ledger, caller, "version:retire", model=name, version=version):
        rooms.access.require(caller.principal, Permission.VERSION_RETIRE, name)
        return rooms.registry.retire(name, version)
