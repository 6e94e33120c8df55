"""Proves that an entry outside this process opens for its own key only, and tells nothing once it is sealed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.cache.cover import Checked, Cover, Sealed, cover_for, uncovered
from explainer.cache.ports import Entry
from explainer.errors import StorageFailed
from explainer.sealing import MasterKeys

OLD, NEW = bytes(range(32)), bytes(range(100, 132))
KEY = bytes(range(50, 82))
ENTRY = Entry(b"income 41250", 1_760_000_000_000)
COVERS = [Checked(), Sealed(MasterKeys([OLD]))]
covers = pytest.mark.parametrize("cover", COVERS, ids=["clear", "sealed"])


@covers
@given(st.binary(max_size=100), st.integers(-(2**63), 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_entries_come_back(cover: Cover, value: bytes, written_ms: int, key: bytes) -> None:
    """Any value and time, an empty one and one before 1970 too."""
    assert cover.unwrap(key, cover.wrap(key, Entry(value, written_ms))) == Entry(value, written_ms)


@covers
def test_every_changed_bit_is_found(cover: Cover) -> None:
    """Value, time and checksum alike: no bit can change without the entry becoming a miss."""
    written = cover.wrap(KEY, ENTRY)
    for bit in range(len(written) * 8):
        changed = bytearray(written)
        changed[bit // 8] ^= 1 << bit % 8
        assert isinstance(uncovered(cover, KEY, bytes(changed)), StorageFailed)


@covers
@given(st.binary(max_size=80))
def test_rubbish_is_no_entry(cover: Cover, rubbish: bytes) -> None:
    """Nor is another type than bytes, an entry cut anywhere, or that of another key."""
    written = cover.wrap(KEY, ENTRY)
    for wrong in (
        rubbish,
        "text",
        None,
        7,
        1.5,
        written[: min(len(rubbish), len(written) - 1)],
        cover.wrap(KEY[::-1], ENTRY),
    ):
        assert isinstance(uncovered(cover, KEY, wrong), StorageFailed)


def test_a_sealed_entry_hides_value_time_and_key() -> None:
    """Neither is in the bytes or in the name, and two wrappings of one entry differ."""
    cover = Sealed(MasterKeys([OLD]))
    written = cover.wrap(KEY, ENTRY)
    shown = written + cover.name(KEY)
    for secret in (ENTRY.value, KEY, KEY[:8], ENTRY.written_ms.to_bytes(8, "big")):
        assert secret not in shown
    assert cover.wrap(KEY, ENTRY) != written


def test_the_name_depends_on_the_master_key() -> None:
    """Who does not know the key cannot tell from a guessed row whether its entry is there; hosts with the key can."""
    assert Checked().name(KEY) == KEY
    assert Sealed(MasterKeys([OLD])).name(KEY) == Sealed(MasterKeys([OLD])).name(KEY)
    assert Sealed(MasterKeys([OLD])).name(KEY) not in {KEY, Sealed(MasterKeys([NEW])).name(KEY)}


def test_another_key_makes_old_entries_misses() -> None:
    """Under a new first key the entries of the old have other names, in another file; with the old key they open."""
    old, new, both = (Sealed(MasterKeys(keys)) for keys in ([OLD], [NEW], [NEW, OLD]))
    written = old.wrap(KEY, ENTRY)
    assert isinstance(uncovered(new, KEY, written), StorageFailed)
    assert uncovered(both, KEY, written) == ENTRY
    assert (both.name(KEY), both.id) == (new.name(KEY), new.id)
    assert old.id != new.id


def test_the_cover_follows_the_keys() -> None:
    """Without a master key the checksum, with one the seal."""
    assert isinstance(cover_for(None), Checked)
    assert isinstance(cover_for(MasterKeys([OLD])), Sealed)


def test_why_an_entry_does_not_open_shows_nothing_of_it() -> None:
    """The reason goes into the log."""
    cover = Sealed(MasterKeys([OLD]))
    why = str(uncovered(cover, KEY, cover.wrap(KEY, ENTRY)[:-1]))
    assert "income" not in why
    assert KEY.hex()[:8] not in why
