"""Signed notes: written and read as others do, and no byte of them can change."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from explainer.errors import InvalidOption
from explainer.ledger.notes import Checkpoint, PublicKey, note_of, read_note, signed_by

# The example of the documentation of signed notes, made by another implementation.
THEIRS = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
THEIR_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = PublicKey("explainer-ledger/test", SECRET.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint("explainer-ledger/test", 1234, bytes(range(32)))
NOTE = note_of(CHECKPOINT, KEY, SECRET.sign(CHECKPOINT.text().encode()))


def test_keys_are_written_as_others_write_them() -> None:
    """A key of the documentation reads and writes back, with the hash that its author computed."""
    assert str(PublicKey.read(THEIRS)) == THEIRS


def test_a_note_has_the_form_of_tlog_checkpoints() -> None:
    """Origin, size, root in base64, an empty line, and the line of the signature."""
    lines = NOTE.split("\n")
    assert lines[:4] == ["explainer-ledger/test", "1234", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith("— explainer-ledger/test ")
    assert lines[5:] == [""]
    assert signed_by(NOTE, KEY) == read_note(NOTE) == CHECKPOINT


def test_signatures_of_others_stand_beside_ours() -> None:
    """A witness may add its line; a note without ours is refused."""
    ours, other = NOTE.split("\n")[4], THEIR_NOTE.split("\n")[3]
    assert signed_by(NOTE + other + "\n", KEY) == CHECKPOINT
    assert signed_by(NOTE.replace(ours, f"{other}\n{ours}"), KEY) == CHECKPOINT
    with pytest.raises(InvalidOption, match="not signed by"):
        signed_by(NOTE.replace(ours, other), KEY)


def test_no_character_can_change() -> None:
    """Whatever is changed before the signature's end, the note is refused."""
    chooser = random.Random(5)
    for _ in range(500):
        at = chooser.randrange(len(NOTE) - 1)
        changed = NOTE[:at] + chr(ord(NOTE[at]) ^ (1 << chooser.randrange(7))) + NOTE[at + 1 :]
        with pytest.raises(InvalidOption):
            signed_by(changed, KEY)


ROOT = "A" * 43 + "="


@pytest.mark.parametrize("bad", ["", "x", "a\n1\nAAAA\n\n", f"a\n01\n{ROOT}\n\n", f"a b\n1\n{ROOT}\n\n"])
def test_what_is_no_checkpoint_is_refused(bad: str) -> None:
    """Too few lines, a root that is none, a size with a zero in front, an origin with a space."""
    with pytest.raises(InvalidOption):
        read_note(bad)


@pytest.mark.parametrize("bad", ["", "a+b", "a+00000000+AAAA", THEIRS.replace("c74f", "c74e"), THEIRS[:-4]])
def test_what_is_no_key_is_refused(bad: str) -> None:
    """Also one that was not copied whole."""
    with pytest.raises(InvalidOption, match="key"):
        PublicKey.read(bad)
