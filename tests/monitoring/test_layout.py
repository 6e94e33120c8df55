"""Proves that a file of cells is read back as written, and that a damaged one is refused and never misread wildly."""

from __future__ import annotations

import random

import pytest

from explainer.monitoring import layout
from explainer.monitoring.layout import FIRST, LayoutError, Owner


def file_with(*keys: tuple[str, ...]) -> bytes:
    body = b"".join(layout.entry(key, 3)[0] for key in keys)
    head = layout.header(Owner(7, 8, 9.5)).ljust(FIRST, b"\0")
    return head[:8] + layout.USED.pack(FIRST + len(body)) + head[16:] + body + bytes(64)


def test_keys_and_owner_are_read_back() -> None:
    """Any text can be a label, and the floats of each entry lie on multiples of 8."""
    keys = [("a",), ("b", 'quote " and \n'), ("c", "ü", ""), ("d", "x" * 301)]
    data = file_with(*keys)
    found = list(layout.read_entries(data))
    assert [key for key, _, _ in found] == keys
    assert all(at % 8 == 0 and width == 3 for _, at, width in found)
    assert layout.read_owner(data) == Owner(7, 8, 9.5)
    assert layout.floats(data, found[1][1], 3) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"XPLCELL1", b"SQLite format 3\0" * 10])
def test_another_file_is_refused(data: bytes) -> None:
    """What does not begin as a file of cells is none."""
    with pytest.raises(LayoutError):
        layout.read_owner(data)


def test_damage_raises_nothing_but_a_layout_error() -> None:
    """2,000 files with random bytes changed or cut off are read or refused; nothing else happens."""
    whole, chance, refused = file_with(("a", "b"), ("c", "d", "e")), random.Random(7), 0
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.choice([len(data), chance.randrange(64, 200)])])
        try:
            for _, at, width in layout.read_entries(cut):
                layout.floats(cut, at, width)
        except LayoutError:
            refused += 1
    assert refused > 100
