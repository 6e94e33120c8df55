"""What happened here, is the record whole, and how does somebody else know?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, StorageFailed
from explainer.ledger.chain import Verdict
from explainer.ledger.copies import key_beside, read_key, verify_copy
from explainer.ledger.examining import Against
from explainer.ledger.notes import Checkpoint, PublicKey, signed_by
from explainer.ledger.proving import Consistency, Inclusion, Signed
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

FILE = "ledger.db"


def verify_ledger(rooms: Rooms, caller: Caller, earlier: Sequence[Checkpoint] = ()) -> Verdict:
    """Recompute chain and tree; the verdict names the first bad entry. `earlier` are checkpoints that were kept."""
    with recorded(rooms.ledger, caller, "chain:verify") as note:
        rooms.access.require(caller.principal, Permission.CHAIN_VERIFY)
        verdict = rooms.ledger.verify(earlier=earlier)
        note["ok"] = verdict.ok
        return verdict


def verify_file(path: Path, earlier: Sequence[Checkpoint], key: PublicKey | None) -> Verdict:
    """The same of a copy, where it lies: nothing is written, and nothing of the service is needed."""
    return verify_copy(path, Against(earlier, key=key))


def sign_checkpoint(rooms: Rooms, caller: Caller) -> Signed:
    """Size and root of the tree as it is now, signed: whoever keeps it can show a ledger that is rewritten later."""
    with recorded(rooms.ledger, caller, "checkpoint:create") as note:
        rooms.access.require(caller.principal, Permission.CHAIN_VERIFY)
        signed = rooms.ledger.proofs.checkpoint()
        note["size"], note["root"], note["key"] = signed.size, signed.root, signed.key
        return signed


def prove_entry(rooms: Rooms, caller: Caller, number: int, size: int | None = None) -> Inclusion:
    """An entry, and the proof that it is in the tree of `size` entries. Raises NotFound, InvalidOption."""
    with recorded(rooms.ledger, caller, "entry:prove", number=number) as note:
        rooms.access.require(caller.principal, Permission.ENTRY_READ)
        proof = rooms.ledger.proofs.inclusion(number, size)
        note["size"] = proof.size
        return proof


def prove_beginning(rooms: Rooms, caller: Caller, first: int, second: int | None = None) -> Consistency:
    """The proof that the first entries are as they were. Raises InvalidOption."""
    with recorded(rooms.ledger, caller, "beginning:prove", first=first) as note:
        rooms.access.require(caller.principal, Permission.CHAIN_VERIFY)
        proof = rooms.ledger.proofs.consistency(first, second)
        note["second"] = proof.second
        return proof


def read_checkpoints(paths: Sequence[Path], key: PublicKey | None) -> list[Checkpoint]:
    """The checkpoints in files, each signed by `key`. Raises InvalidOption, StorageFailed."""
    if paths and key is None:
        raise InvalidOption("key: name the file with the ledger's public key (ledger.pub) to check checkpoints with.")
    found = []
    for path in paths:
        try:
            found.append(signed_by(path.read_text(), key))  # type: ignore[arg-type]
        except OSError as error:
            raise StorageFailed(f"{path} could not be read: {error.strerror}.") from error
        except UnicodeDecodeError:
            raise InvalidOption(f"checkpoint: {path} is not text.") from None
    return found


def checkpoint_key(given: Path | None, ledger: Path) -> PublicKey | None:
    """The key in the file that was named, else the one beside the ledger's file; None where there is none."""
    return key_beside(ledger) if given is None else read_key(given)
