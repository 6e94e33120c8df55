"""Universal Binary JSON as XGBoost writes it, read with every length checked against the bytes that are there."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_DEPTH = 64
_NUMBERS = {
    b"i": ">i1", b"U": ">u1", b"I": ">i2", b"u": ">u2", b"l": ">i4", b"m": ">u4", b"L": ">i8", b"M": ">u8",
    b"d": ">f4", b"D": ">f8",
}  # fmt: skip
_LENGTHS = b"iUIlL"


class UbjsonError(ValueError):
    """The bytes are not well-formed; the message says where."""


def load(data: bytes) -> Any:
    """The document in `data`: dicts, lists, numbers, strings; an array of one number type as a numpy array."""
    reader = _Reader(data)
    document = reader.value(reader.take(1), 0)
    if reader.at != len(data):
        raise UbjsonError(f"{len(data) - reader.at} bytes follow the end of the document.")
    return document


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count < 0 or count > len(self.data) - self.at:
            raise UbjsonError(
                f"{count} bytes are promised at byte {self.at}, where {len(self.data) - self.at} are left."
            )
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def value(self, marker: bytes, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise UbjsonError(f"It is nested deeper than {MAX_DEPTH}.")
        if marker == b"{":
            return self.mapping(depth)
        if marker == b"[":
            return self.array(depth)
        if marker == b"S":
            return self.text(self.length())
        if marker in _NUMBERS:
            return self.numbers(marker, 1)[0].item()
        constants = {b"T": True, b"F": False, b"Z": None}
        if marker not in constants:
            raise UbjsonError(f"Byte {self.at - 1} is not the beginning of a value.")
        return constants[marker]

    def length(self) -> int:
        marker = self.take(1)
        if marker not in _NUMBERS or marker not in _LENGTHS:
            raise UbjsonError(f"Byte {self.at - 1} is not the type of a length.")
        return int(self.numbers(marker, 1)[0])

    def text(self, count: int) -> str:
        return self.take(count).decode("utf-8", "strict")

    def numbers(self, marker: bytes, count: int) -> Any:
        kind = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self.take(count * kind.itemsize), dtype=kind).astype(kind.newbyteorder("="))

    def mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.data[self.at : self.at + 1] != b"}":
            key = self.text(self.length())
            if key in found:
                raise UbjsonError(f"The key '{key}' is given twice.")
            found[key] = self.value(self.take(1), depth + 1)
        self.at += 1
        return found

    def array(self, depth: int) -> Any:
        marker = self.take(1)
        if marker == b"$":
            kind, sign = self.take(1), self.take(1)
            if kind not in _NUMBERS or sign != b"#":
                raise UbjsonError(f"Byte {self.at - 2} is not the type of an array of numbers.")
            return self.numbers(kind, self.length())
        if marker == b"#":
            count = self.length()
            if count > len(self.data) - self.at:
                raise UbjsonError(f"An array of {count} values is promised at byte {self.at}.")
            return [self.value(self.take(1), depth + 1) for _ in range(count)]
        items = []
        while marker != b"]":
            items.append(self.value(marker, depth + 1))
            marker = self.take(1)
        return items
