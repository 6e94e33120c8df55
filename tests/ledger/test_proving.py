"""Checkpoints and proofs of a real ledger: whoever has them needs nothing else to see a change."""

from __future__ import annotations

import dataclasses
import stat
import threading
from pathlib import Path

import pytest

from explainer.errors import InvalidOption, NotFound, StorageFailed
from explainer.ledger.checking import check_proof
from explainer.ledger.merkle import Growing, leaf
from explainer.ledger.notes import PublicKey, read_note, signed_by
from explainer.ledger.signing import signer
from explainer.ledger.sqlite import Ledger
from explainer.ledger.tree import LOWEST
from explainer.records import LedgerEntry
from tests.ledger.test_sqlite import changed

MANY = 3 * (1 << LOWEST) + 41


def append(ledger: Ledger, count: int) -> None:
    def some(first: int) -> None:
        for i in range(first, count, 8):
            ledger.append(LedgerEntry("api:x:y", "p", "answered", f"r{i}", {}))

    threads = [threading.Thread(target=some, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    ledger = Ledger(tmp_path_factory.mktemp("grown") / "ledger.db")
    append(ledger, MANY)
    return ledger


def test_a_checkpoint_is_signed_over_all_entries(grown: Ledger) -> None:
    """Its root is the one that the entries give, its signature that of the key beside the file."""
    growing = Growing()
    with grown._file.reading() as connection:
        for (written,) in connection.execute("SELECT written FROM entries ORDER BY number"):
            growing.add(leaf(written))
    signed = grown.proofs.checkpoint()
    found = signed_by(signed.note, PublicKey.read(signed.key))
    assert (found.size, found.root) == (MANY, growing.root())
    assert (signed.size, signed.root) == (MANY, growing.root().hex()) == (MANY, grown.verify().root)


def test_every_entry_and_every_beginning_can_be_proven(grown: Ledger) -> None:
    """Against the signed checkpoints alone; another entry in its place, or another number, is not."""
    roots = {size: read_note(grown.proofs.checkpoint(size).note) for size in (1, 256, 300, 512, MANY)}
    for size, root in roots.items():
        for number in {1, size // 2 + 1, size}:
            proof = dataclasses.asdict(grown.proofs.inclusion(number, size))
            assert check_proof(proof, [root])[0]
            assert not check_proof({**proof, "written": proof["written"] + " "}, [root])[0]
            if size > 1:
                assert not check_proof({**proof, "number": number % size + 1}, [root])[0]
        for first in [other for other in roots if other <= size]:
            proof = dataclasses.asdict(grown.proofs.consistency(first, size))
            assert check_proof(proof, list(roots.values()))[0]
            if first == size:
                continue
            forged = dataclasses.replace(root, root=bytes(32))
            assert not check_proof(proof, [*[c for c in roots.values() if c.size != size], forged])[0]


def test_what_is_not_there_is_not_proven(grown: Ledger) -> None:
    """An entry to come, a tree to come, an entry beyond the tree that was asked for."""
    with pytest.raises(NotFound, match=f"no ledger entry {MANY + 1}"):
        grown.proofs.inclusion(MANY + 1)
    with pytest.raises(InvalidOption, match=f"has {MANY} entries"):
        grown.proofs.inclusion(1, MANY + 1)
    with pytest.raises(InvalidOption, match="entry 9 is not among the first 8"):
        grown.proofs.inclusion(9, 8)
    with pytest.raises(InvalidOption, match="first"):
        grown.proofs.consistency(9, 8)
    with pytest.raises(InvalidOption, match=r"checkpoint: one of 8 entries"):
        check_proof(dataclasses.asdict(grown.proofs.inclusion(3, 8)), [])
    with pytest.raises(InvalidOption, match="no proof"):
        check_proof({"path": ["zz"]}, [])


def test_the_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    """Threads that make it at once get the same; mode 600; its public half beside it; the secret is never shown."""
    found = []
    threads = [threading.Thread(target=lambda: found.append(signer(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({str(s.public) for s in found}) == 1
    assert stat.S_IMODE((tmp_path / "ledger.key").stat().st_mode) == 0o600
    assert PublicKey.read((tmp_path / "ledger.pub").read_text()) == found[0].public
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ledger.key", "ledger.pub"]
    assert repr(found[0]) == f"Signer({found[0].public.name})"


def test_a_key_that_is_none_is_named(tmp_path: Path) -> None:
    """Nothing is signed with rubbish, and nothing is put over it."""
    (tmp_path / "ledger.key").write_text("rubbish")
    with pytest.raises(StorageFailed, match=r"ledger\.key cannot be used"):
        signer(tmp_path)
    assert (tmp_path / "ledger.key").read_text() == "rubbish"


@pytest.mark.parametrize(
    ("statement", "first_bad", "said"),
    [
        ("UPDATE tree SET hash = zeroblob(32) WHERE height = 8 AND place = 1", 257, "another root"),
        ("UPDATE tree SET hash = zeroblob(32) WHERE height = 9", 1, "another root"),
        ("UPDATE checkpoints SET note = replace(note, '300', '301')", None, "signature"),
        ("UPDATE checkpoints SET note = 'x'", None, "checkpoint"),
        ("UPDATE checkpoints SET size = 299", None, "one of 300"),
        ("DELETE FROM found; DELETE FROM entries WHERE number > 299", 300, "tail is missing"),
    ],
)
def test_what_is_kept_beside_the_entries_is_held_against_them(
    tmp_path: Path, statement: str, first_bad: int | None, said: str
) -> None:
    """Kept subtrees, checkpoints and their signatures: none can be changed unseen."""
    ledger = Ledger(tmp_path / "ledger.db")
    append(ledger, 550)
    ledger.proofs.checkpoint(300)
    assert ledger.verify().ok
    changed(ledger, statement)
    verdict = ledger.verify()
    assert (verdict.ok, verdict.first_bad) == (False, first_bad)
    assert said in verdict.detail


def test_the_tree_is_found_again_without_what_was_kept(grown: Ledger, tmp_path: Path) -> None:
    """Kept roots are only a shortcut: without them every proof is the same."""
    grown._file.backup_to(tmp_path / "ledger.db")
    copy = Ledger(tmp_path / "ledger.db")
    changed(copy, "DELETE FROM tree")
    assert copy.proofs.inclusion(300, 700) == grown.proofs.inclusion(300, 700)
    assert copy.proofs.consistency(257) == grown.proofs.consistency(257)


def test_the_newest_checkpoint_is_the_largest_that_is_kept(tmp_path: Path) -> None:
    """None before the first one; one that another key has signed is told without a key; a damaged one is not told."""
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.proofs.newest() is None
    append(ledger, 8)
    first = ledger.proofs.checkpoint(3)
    assert ledger.proofs.newest() == first
    last = ledger.proofs.checkpoint()
    assert ledger.proofs.newest() == last
    ledger.close()
    for name in ("ledger.key", "ledger.pub"):
        (tmp_path / name).unlink()
    other = Ledger(tmp_path / "ledger.db")
    found = other.proofs.newest()
    assert found is not None
    assert (found.note, found.root, found.key) == (last.note, last.root, "")
    changed(other, "UPDATE checkpoints SET note = 'nonsense'")
    with pytest.raises(StorageFailed, match="damaged"):
        other.proofs.newest()
