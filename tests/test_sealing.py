"""Proves that what is sealed opens in its place, with its key, unchanged - and not otherwise."""

from __future__ import annotations

import os
import pickle
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.errors import KeyMissing, SealBroken, StorageFailed
from explainer.sealing import FORM, RENEWED_AFTER, WRAPPED, DataKey, Envelope, MasterKeys

OLD, NEW, FOREIGN = (bytes([i]) * 32 for i in (1, 2, 3))
PLACE = ("receipts", "rcp_1")
SECRET = b"income 41250"
WRAPPED_THEN = (
    "01a011c159ad7615e8d67b0d665a59eec26b525693e5494d452f128277311b9c42d9818814ab2cba4fa0fdb464c3e758"
    "ea54962649244d63c772da761081955325a483d5378b06ebe20a1984bce3916d78afe37b75"
)
SEALED_THEN = "01fb5f4a3afcdf6c89654f6383533b685d62d1c5ce5577a1d5b6f2ed8ae0f4070496195ed87d240e8b059758b8"

parts = st.lists(st.one_of(st.text(max_size=4), st.binary(max_size=4)), max_size=3)


@given(st.binary(max_size=300), parts)
def test_what_is_sealed_opens_again(plain: bytes, place: list[str | bytes]) -> None:
    """Any bytes, the empty ones too, come back from any place, from a key that was wrapped and unwrapped meanwhile."""
    masters = MasterKeys([OLD])
    key, wrapped = masters.new_key(place)
    assert masters.unwrap(wrapped, place).open(key.seal(plain, place), place) == plain
    assert Envelope(masters, "test").open(Envelope(masters, "test").seal(plain, place), place) == plain


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_changed_bit_is_found(plain: bytes, data: st.DataObject) -> None:
    """One flipped bit anywhere in a sealed record, its wrapped key included, is an error, never other bytes."""
    envelope = Envelope(MasterKeys([OLD]), "test")
    sealed = bytearray(envelope.seal(plain, PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((SealBroken, KeyMissing)):
        envelope.open(bytes(sealed), PLACE)


def test_every_bit_counts() -> None:
    """The same for each single bit of one record: there is no byte that nobody looks at."""
    envelope = Envelope(MasterKeys([OLD]), "test")
    sealed = envelope.seal(SECRET, PLACE)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StorageFailed):
            envelope.open(bytes(changed), PLACE)


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + b"\0", lambda s: b"", lambda s: s[:WRAPPED]])
def test_a_cut_or_lengthened_record_is_found(change: object) -> None:
    """Whatever was lost or added at the end is an error that says so."""
    envelope = Envelope(MasterKeys([OLD]), "test")
    with pytest.raises(SealBroken):
        envelope.open(change(envelope.seal(SECRET, PLACE)), PLACE)  # type: ignore[operator]


@given(parts, parts)
def test_a_record_opens_in_its_own_place_only(one: list[str | bytes], other: list[str | bytes]) -> None:
    """A record or key that was moved to another table or id does not open, however the two places are cut up."""
    masters = MasterKeys([OLD])
    key, wrapped = masters.new_key(one)
    if one == other:
        assert key.open(key.seal(SECRET, one), other) == SECRET
        return
    with pytest.raises(SealBroken):
        key.open(key.seal(SECRET, one), other)
    with pytest.raises(SealBroken):
        masters.unwrap(wrapped, other)


def test_a_wrong_key_is_told_from_damage() -> None:
    """Another master key or data key is named as that; a changed record under the right key is called changed."""
    key, wrapped = MasterKeys([OLD]).new_key(PLACE)
    foreign = MasterKeys([FOREIGN])
    with pytest.raises(KeyMissing, match=MasterKeys([OLD]).ids[0]) as raised:
        foreign.unwrap(wrapped, PLACE)
    assert foreign.ids[0] in str(raised.value)
    with pytest.raises(KeyMissing, match="another data key"):
        foreign.new_key(PLACE)[0].open(key.seal(SECRET, PLACE), PLACE)
    sealed = key.seal(SECRET, PLACE)
    with pytest.raises(SealBroken, match="receipts rcp_1 was changed"):
        key.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), PLACE)
    with pytest.raises(SealBroken, match="a sealed form that this program knows"):
        key.open(b"\x02" + sealed[1:], PLACE)


def test_keys_are_exchanged_without_a_break() -> None:
    """The first key seals and all open; rewrapped data keys open without the old key, and what they sealed stays."""
    before, during, after = MasterKeys([OLD]), MasterKeys([NEW, OLD]), MasterKeys([NEW])
    key, wrapped = before.new_key(PLACE)
    sealed = key.seal(SECRET, PLACE)
    assert during.unwrap(wrapped, PLACE).open(sealed, PLACE) == SECRET
    assert (during.is_current(wrapped), before.is_current(wrapped)) == (False, True)
    renewed = during.rewrap(wrapped, PLACE)
    assert during.is_current(renewed)
    assert after.unwrap(renewed, PLACE).open(sealed, PLACE) == SECRET
    with pytest.raises(KeyMissing):
        after.unwrap(wrapped, PLACE)
    with pytest.raises(KeyMissing):
        before.unwrap(renewed, PLACE)


def test_without_its_wrapped_key_a_record_is_gone() -> None:
    """All master keys together open nothing whose data key was destroyed: that is how a subject is erased."""
    masters = MasterKeys([NEW, OLD])
    key, _ = masters.new_key(("subjects", "s1"))
    sealed = key.seal(SECRET, PLACE)
    with pytest.raises(KeyMissing):
        masters.new_key(("subjects", "s1"))[0].open(sealed, PLACE)


def test_secrets_show_nowhere() -> None:
    """Neither repr nor str nor an error holds a key, and keys are not pickled."""
    masters = MasterKeys([OLD, NEW])
    key, wrapped = masters.new_key(PLACE)
    with pytest.raises(KeyMissing) as raised:
        MasterKeys([FOREIGN]).unwrap(wrapped, PLACE)
    shown = repr(masters) + str(masters) + repr(key) + str(key) + str(raised.value)
    for secret in (OLD, NEW, FOREIGN, key._key):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
    for thing in (masters, key):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(thing)


def test_the_same_record_is_never_sealed_alike() -> None:
    """Nonces, data keys and wrappings are fresh each time: equal rows cannot be recognised by their bytes."""
    masters = MasterKeys([OLD])
    key = DataKey(os.urandom(32))
    nonces = {key.seal(SECRET, PLACE)[5:17] for _ in range(1000)}
    wraps = {masters.new_key(PLACE)[1][9:37] for _ in range(1000)}
    assert (len(nonces), len(wraps)) == (1000, 1000)


def test_the_bound_of_a_data_key_is_kept() -> None:
    """A key refuses the first record beyond its bound, from however many threads; what it sealed still opens."""
    key, sealed, refused = DataKey(bytes(32), limit=100), [], []

    def work() -> None:
        for _ in range(50):
            try:
                sealed.append(key.seal(SECRET, PLACE))
            except StorageFailed as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(sealed), len(refused)) == (100, 100)
    assert "100 records" in refused[0]
    assert all(key.open(s, PLACE) == SECRET for s in sealed)


def test_an_envelope_takes_a_new_data_key_in_time() -> None:
    """After its count of messages the next has another data key; all of them open, in another process too."""
    masters = MasterKeys([OLD])
    envelope = Envelope(masters, "test", renewed_after=3)
    sealed = [envelope.seal(b"%d" % i, PLACE) for i in range(9)]
    assert [len({s[:WRAPPED] for s in sealed[i : i + 3]}) for i in (0, 3, 6)] == [1, 1, 1]
    assert len({s[:WRAPPED] for s in sealed}) == 3
    assert [Envelope(masters, "test").open(s, PLACE) for s in sealed] == [b"%d" % i for i in range(9)]
    assert RENEWED_AFTER <= 2**32 / 256


def test_an_envelope_remembers_a_bounded_number_of_keys() -> None:
    """A file full of other processes' data keys opens, and does not fill the memory."""
    masters = MasterKeys([OLD])
    reader = Envelope(masters, "test")
    for i in range(300):
        assert reader.open(Envelope(masters, "test").seal(b"%d" % i, PLACE), PLACE) == b"%d" % i
    assert len(reader._known) == 256


def test_an_envelope_of_another_purpose_does_not_open() -> None:
    """A cache entry cannot be passed off as an export."""
    masters = MasterKeys([OLD])
    with pytest.raises(SealBroken):
        Envelope(masters, "exports").open(Envelope(masters, "cache").seal(SECRET, PLACE), PLACE)


def test_derived_keys_differ_by_purpose_and_master_key() -> None:
    """A derived key is a fixed function of both, pinned here, and is no key that wraps or seals."""
    made = [MasterKeys([m, FOREIGN]).derive(p) for m in (OLD, NEW) for p in ("cache", "exports")]
    assert len({*made, OLD, NEW}) == 6
    assert made[0] == MasterKeys([OLD]).derive("cache")
    assert made[0].hex() == "7c70ad06ee052bbd4364e550930644efd6ab432de65527ab1b5ef435af7d6ba1"


def test_what_was_sealed_by_this_layout_opens_for_ever() -> None:
    """A record and key written by the first release are read by every later one."""
    wrapped, sealed = bytes.fromhex(WRAPPED_THEN), bytes.fromhex(SEALED_THEN)
    assert (wrapped[:1], sealed[:1], len(wrapped)) == (FORM, FORM, WRAPPED)
    assert MasterKeys([OLD]).unwrap(wrapped, PLACE).open(sealed, PLACE) == SECRET


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""], [bytes(33)]])
def test_only_keys_of_32_bytes_are_taken(keys: list[bytes]) -> None:
    """A key of another length is refused where it is given."""
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKeys(keys)
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(b"short")


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_rubbish_is_refused(rubbish: bytes) -> None:
    """Bytes that were never sealed are an error of ours, not one of the library's."""
    masters = MasterKeys([OLD])
    for prefix in (b"", FORM):
        with pytest.raises(StorageFailed):
            DataKey(OLD).open(prefix + rubbish, PLACE)
        with pytest.raises(StorageFailed):
            masters.unwrap(prefix + rubbish, PLACE)
