"""Is everything in the rooms as it should be? Registry, models, their sandbox, ledger, trusted keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from explainer.access.permissions import Permission
from explainer.errors import ExplainerError
from explainer.receipts.resealing import state
from explainer.records import ModelVersion
from explainer.registry.signature import trusted_keys
from explainer.usecases.recording import recorded
from explainer.usecases.register import TRIAL_ROWS
from explainer.usecases.rooms import Caller, Rooms

Level = Literal["ok", "note", "bad"]
OPEN = ("no sandbox", "files not closed off", "system calls not filtered")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what to do about it where it is not good."""

    level: Level
    what: str
    found: str
    do: str = ""


def inspect(rooms: Rooms, caller: Caller) -> list[Finding]:
    """Open every current version in a worker, verify the ledger, and look at the rest; what is bad is no error here."""
    with recorded(rooms.ledger, caller, "installation:inspect") as note:
        rooms.access.require(caller.principal, Permission.INSTALLATION_INSPECT)
        findings = [*_registry(rooms), *_models(rooms), _ledger(rooms), _receipts(rooms), _trusted(rooms)]
        note["bad"] = sum(f.level == "bad" for f in findings)
        return findings


def _registry(rooms: Rooms) -> Iterator[Finding]:
    faults = rooms.registry.faults()
    for fault in faults:
        yield Finding("bad", "registry", fault.detail, "restore the folder from a backup, or retire the version")
    if not faults:
        yield Finding("ok", "registry", f"{len(rooms.registry.versions())} versions in {rooms.settings.registry}")


def _models(rooms: Rooms) -> Iterator[Finding]:
    names = rooms.registry.names()
    if not names:
        yield Finding("note", "models", "none is registered, so no sandbox was tried", "explainer register FOLDER")
    isolation: dict[str, None] = {}
    for name in names:
        version = rooms.registry.get(name)
        try:
            yield _opened(rooms, version, isolation)
        except ExplainerError as error:
            todo = "restore it from a backup, or register a version that opens, and retire this one"
            yield Finding("bad", f"model {_title(version)}", error.detail, todo)
    for sentence in isolation:
        bad = sentence.startswith(OPEN)
        todo = "use Linux 5.13 or later with Landlock and seccomp; until then models are held in less" if bad else ""
        yield Finding("bad" if bad else "ok", "sandbox", sentence, todo)


def _opened(rooms: Rooms, version: ModelVersion, isolation: dict[str, None]) -> Finding:
    order = rooms.registry.order(version)
    tried = rooms.workers.trial(order, order.background[:TRIAL_ROWS])
    isolation |= dict.fromkeys(tried.isolation)
    report, golden = tried.report, version.manifest.golden
    found = f"opens with {report.library} {report.library_version} and reproduces its golden predictions"
    same = report.library_version == golden.version
    made = "" if same else f"; it was made with {golden.library} {golden.version}"
    return Finding("ok" if same else "note", f"model {_title(version)}", found + made)


def _ledger(rooms: Rooms) -> Finding:
    verdict = rooms.ledger.verify()
    todo = "" if verdict.ok else "keep the file as evidence, and compare it with a backup"
    return Finding("ok" if verdict.ok else "bad", "ledger", verdict.detail, todo)


def _receipts(rooms: Rooms) -> Finding:
    found, masters = state(rooms.receipts), rooms.receipts.seals.masters
    if masters is None and found.receipts > found.clear:
        todo = "set the master key that sealed them (EXPLAINER_MASTER_KEY_FILE)"
        return Finding("bad", "receipts", f"{found.receipts - found.clear} are sealed, and no master key is set", todo)
    if masters is None:
        todo = "set EXPLAINER_MASTER_KEY_FILE, then `explainer reseal`" if found.clear else ""
        said = f"{found.clear} are kept in the clear: no master key is set"
        return Finding("note" if found.clear else "ok", "receipts", said, todo)
    if found.clear or found.outdated:
        said = f"{found.clear} are kept in the clear, {found.outdated} keys are wrapped by an older master key"
        return Finding("note", "receipts", said, "explainer reseal")
    return Finding("ok", "receipts", f"{found.receipts} are kept, sealed under master key {masters.ids[0]}")


def _trusted(rooms: Rooms) -> Finding:
    folder = rooms.settings.trusted_keys
    if folder is None:
        return Finding("ok", "trusted keys", "none: formats that run code on load cannot be registered")
    try:
        keys = trusted_keys(folder)
    except ExplainerError as error:
        return Finding("bad", "trusted keys", error.detail, "mend the folder or EXPLAINER_TRUSTED_KEYS")
    named = ", ".join(f"{name} ({key})" for name, key in keys.items())
    return Finding("ok" if keys else "note", "trusted keys", named or f"{folder} holds no .pub file")


def _title(version: ModelVersion) -> str:
    return f"{version.manifest.name} {version.manifest.version}"
