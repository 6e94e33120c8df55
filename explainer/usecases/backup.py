"""A copy of everything that cannot be computed again: accounts, receipts, ledger and registered models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from explainer import __version__
from explainer.access.permissions import Permission
from explainer.errors import Conflict, InvalidOption
from explainer.ledger.chain import Verdict
from explainer.ledger.signing import PUBLIC
from explainer.receipts.subjects import erased_in
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.whole_folder import digests, whole, write_new

ABOUT, DIGESTS, CHECKPOINT, ERASED = "backup.json", "SHA256SUMS", "ledger.checkpoint", "erased.txt"


@dataclass(frozen=True, slots=True)
class Backup:
    """`files` gives the SHA-256 of every file by its path in the folder, `ledger` what verifying its copy found."""

    folder: Path
    made_at: str
    files: dict[str, str]
    bytes: int
    ledger: Verdict


def back_up(rooms: Rooms, caller: Caller, folder: Path) -> Backup:
    """Fill `folder`, complete or not at all, while the service goes on.

    What the ledger names is in the copies: receipts stand in its file, and models, copied after it, are never removed.
    Raises Conflict when the
    folder holds something, InvalidOption when it cannot be made where it is wanted, StorageFailed.
    """
    with recorded(rooms.ledger, caller, "backup:create") as note:
        rooms.access.require(caller.principal, Permission.BACKUP_CREATE)
        target = _free(folder.absolute(), rooms.settings.registry.absolute())
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        with whole(target) as staged:
            verdict = rooms.ledger.backup_to(staged / "ledger.db")  # the receipts are in it
            _sign(rooms, staged, verdict)
            write_new(staged / ERASED, erased_in(staged / "ledger.db").encode())
            rooms.access.backup_to(staged / "access.db")
            rooms.policies.backup_to(staged / "controls.db")  # and the budgets
            rooms.registry.backup_to(staged / "registry")
            about = {"made_at": made_at, "explainer": __version__, "ledger": verdict}
            write_new(staged / ABOUT, orjson.dumps(about, option=orjson.OPT_INDENT_2))
            files, size = digests(staged)
            write_new(staged / DIGESTS, "".join(f"{digest}  {name}\n" for name, digest in files.items()).encode())
        note["files"], note["bytes"] = len(files), size
        return Backup(target, made_at, files, size, verdict)


def _sign(rooms: Rooms, staged: Path, verdict: Verdict) -> None:
    """Beside a whole ledger its checkpoint, and the public key that checks it: to be kept elsewhere as well."""
    if verdict.ok and verdict.entries:
        signed = rooms.ledger.proofs.checkpoint(verdict.entries)
        write_new(staged / PUBLIC, f"{signed.key}\n".encode())
        write_new(staged / CHECKPOINT, signed.note.encode())


def _free(target: Path, registry: Path) -> Path:
    if not target.parent.is_dir():
        raise InvalidOption(f"folder: there is no folder {target.parent} to put the backup into.")
    if target.resolve().is_relative_to(registry.resolve()):
        raise InvalidOption(f"folder: {target} lies in the registry; put the backup somewhere else.")
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise Conflict(f"{target} is there and not empty; name a folder that is new or empty.")
    return target
