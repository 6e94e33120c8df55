"""Proves the chain: entries have one written form, and every change is found at the first bad entry."""

from __future__ import annotations

import json
import random
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.errors import StorageFailed
from explainer.ledger.chain import GENESIS, Head, Link, canonical, seal, verify
from explainer.records import LedgerEntry

AT = "2026-01-01T00:00:00.000000+00:00"


def entry(**changes: object) -> LedgerEntry:
    given = {"event": "api:x:y", "principal": "p", "outcome": "answered", "request_id": "r", "body": {}}
    return LedgerEntry(**{**given, **changes})  # type: ignore[arg-type]


def chain_of(count: int) -> list[Link]:
    links, before = [], GENESIS
    for number in range(1, count + 1):
        written = canonical(entry(request_id=f"r{number}", body={"rows": number}), AT)
        before = seal(before, number, written)
        links.append(Link(number, written, before))
    return links


def renumbered(links: list[Link]) -> list[Link]:
    return [Link(i, link.written, link.seal) for i, link in enumerate(links, 1)]


def test_a_whole_chain_is_confirmed() -> None:
    """An untouched chain verifies and says how long it is and where it ends."""
    links = chain_of(50)
    verdict = verify(links)
    assert (verdict.ok, verdict.entries, verdict.head, verdict.first_bad) == (True, 50, links[-1].seal.hex(), None)


def test_an_empty_chain_is_confirmed() -> None:
    """Nothing recorded is not a fault."""
    assert (verify([]).ok, verify([]).head) == (True, None)


def test_the_seal_is_the_one_that_is_documented() -> None:
    """Anyone can recompute a seal: SHA-256 over the seal before, the number in 8 bytes, and the bytes."""
    expected = sha256(GENESIS + b"\0\0\0\0\0\0\0\x07" + b"{}").digest()
    assert seal(GENESIS, 7, b"{}") == expected


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_the_written_form_does_not_depend_on_order_and_reads_back(body: dict, shuffler: random.Random) -> None:
    """The same facts in another order give the same bytes, and the bytes give the facts again."""
    pairs = list(body.items())
    shuffler.shuffle(pairs)
    written = canonical(entry(body=body), AT)
    assert canonical(entry(body=dict(pairs)), AT) == written
    assert json.loads(written)["body"] == body


@pytest.mark.parametrize(
    "bad",
    [
        entry(event="explained"),
        entry(event="api:x:y\n"),
        entry(event="API:x:y"),
        entry(event="a:b:c:d"),
        entry(body={"x": float("nan")}),
        entry(body={"x": float("inf")}),
        entry(body={"x": 2**70}),
        entry(principal="\ud800"),
        entry(body={"x": [1]}),
        entry(body={1: 1}),
    ],
)
def test_what_cannot_be_written_unchanged_is_refused(bad: LedgerEntry) -> None:
    """Nothing is recorded in another form than it was given: the entry fails closed."""
    if bad.body == {"x": [1]}:
        assert json.loads(canonical(bad, AT))["body"] == {"x": [1]}
        return
    with pytest.raises(StorageFailed):
        canonical(bad, AT)


def test_overlong_text_is_cut_and_says_so() -> None:
    """A caller cannot swell the ledger by a long name."""
    written = json.loads(canonical(entry(body={"model": "m" * 100_000}), AT))
    assert len(written["body"]["model"]) < 600
    assert "100000 characters" in written["body"]["model"]


def test_two_thousand_random_changes_are_all_found_and_named() -> None:
    """Flips, swaps, removals, insertions and repetitions anywhere before the end: each found at its first bad entry."""
    chooser = random.Random(20261124)
    links = chain_of(60)
    for _ in range(2000):
        changed, first_bad = damage(links, chooser)
        verdict = verify(changed)
        assert (verdict.ok, verdict.first_bad, verdict.entries) == (False, first_bad, first_bad - 1)


def damage(links: list[Link], chooser: random.Random) -> tuple[list[Link], int]:
    changed, i = list(links), chooser.randrange(len(links))
    link, kind = links[i], chooser.choice(["written", "seal", "swap", "remove", "remove-renumber", "insert", "repeat"])
    if kind == "written":
        changed[i] = Link(link.number, flipped(link.written, chooser), link.seal)
        return changed, i + 1
    if kind == "seal":
        changed[i] = Link(link.number, link.written, flipped(link.seal, chooser))
        return changed, i + 1
    if kind == "swap":
        i, j = sorted(chooser.sample(range(len(links)), 2))
        changed[i], changed[j] = (
            Link(i + 1, links[j].written, links[j].seal),
            Link(j + 1, links[i].written, links[i].seal),
        )
        return changed, i + 1
    if kind == "insert":
        changed.insert(i, Link(0, canonical(entry(request_id="forged"), AT), chooser.randbytes(32)))
        return renumbered(changed), i + 1
    if kind == "repeat":
        changed.insert(i, link)
        return renumbered(changed), i + 2
    i = chooser.randrange(len(links) - 1)  # the last one's removal is another matter, see below
    del changed[i]
    return (changed if kind == "remove" else renumbered(changed)), i + 1


def flipped(data: bytes, chooser: random.Random) -> bytes:
    at = chooser.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chooser.randrange(8))]) + data[at + 1 :]


def test_an_insertion_with_a_computed_seal_is_named_itself() -> None:
    """Whoever knows the rule can make one entry fit its past; the entry after it was sealed without it."""
    links = chain_of(10)
    written = canonical(entry(request_id="forged"), AT)
    forged = Link(5, written, seal(links[3].seal, 5, written))
    assert verify(renumbered([*links[:4], forged, *links[4:]])).first_bad == 5


def test_a_cut_tail_is_seen_only_against_a_checkpoint() -> None:
    """Without a checkpoint a shorter chain is a whole chain; with one, the missing tail is named."""
    links = chain_of(10)
    checkpoint = Head(10, links[-1].seal.hex())
    assert verify(links[:7]).ok
    verdict = verify(links[:7], checkpoint)
    assert (verdict.ok, verdict.first_bad) == (False, 8)
    assert "tail" in verdict.detail


def test_a_rewritten_chain_is_seen_only_against_a_checkpoint() -> None:
    """A chain computed anew from some entry on is consistent in itself and contradicts the checkpoint."""
    links = chain_of(10)
    before, rewritten = links[3].seal, links[:4]
    for number in range(5, 11):
        written = canonical(entry(request_id=f"other {number}"), AT)
        before = seal(before, number, written)
        rewritten = [*rewritten, Link(number, written, before)]
    assert verify(rewritten).ok
    assert verify(rewritten, Head(8, links[7].seal.hex())).first_bad == 8


def test_a_later_chain_fits_an_earlier_checkpoint() -> None:
    """Growth after the checkpoint is no fault."""
    links = chain_of(10)
    assert verify(links, Head(6, links[5].seal.hex())).ok
