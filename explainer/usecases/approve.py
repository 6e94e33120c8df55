"""A version that waits is let into service, by somebody other than who registered it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explainer.access.permissions import Permission
from explainer.errors import NotPermitted
from explainer.records import ModelVersion, Notice
from explainer.registry.approval import blocking, pending
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

MAY_APPROVE = Permission.VERSION_APPROVE  # of another principal's version


@dataclass(frozen=True, slots=True)
class ApprovalAsk:
    """`accepted` gives a reason for each blocking finding by its code."""

    model: str
    version: str
    accepted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Awaited:
    """Whether a version waits, the findings that have to be accepted, and whether this caller may approve it."""

    pending: bool
    findings: tuple[Notice, ...]
    may: bool


def approve(rooms: Rooms, caller: Caller, ask: ApprovalAsk) -> ModelVersion:
    """Raises NotPermitted to who registered it, NotFound, Conflict when it does not wait, InvalidOption, StorageFailed.

    Whoever runs the command line owns the machine and could change the registry's files: such a person may approve what
    they registered themselves, written down as `own`, unless EXPLAINER_REQUIRE_APPROVAL asks for two people.
    """
    with recorded(rooms.ledger, caller, "version:approve", model=ask.model, version=ask.version) as note:
        rooms.access.require(caller.principal, MAY_APPROVE, ask.model)
        found = rooms.registry.get(ask.model, ask.version)
        note["digest"], note["own"] = found.digest, _own(rooms, caller, found)
        if not _another(rooms, caller, found):
            raise NotPermitted(
                f"{ask.model} version {ask.version} was registered by you; somebody else has to approve it."
            )
        version = rooms.registry.approve(ask.model, ask.version, caller.principal.id, ask.accepted)
        note["accepted"] = "; ".join(f"{code}: {reason.strip()}" for code, reason in sorted(ask.accepted.items()))
        return version


def awaited(rooms: Rooms, caller: Caller, version: ModelVersion) -> Awaited:
    """What there is to approve about a version that the caller is looking at."""
    permitted = rooms.access.may(caller.principal, MAY_APPROVE, version.manifest.name)
    return Awaited(pending(version), blocking(version), permitted and _another(rooms, caller, version))


def _own(rooms: Rooms, caller: Caller, version: ModelVersion) -> bool:
    return rooms.registry.registered_by(version) == caller.principal.id


def _another(rooms: Rooms, caller: Caller, version: ModelVersion) -> bool:
    owns_machine = caller.principal.kind == "local" and not rooms.settings.require_approval
    return owns_machine or not _own(rooms, caller, version)
