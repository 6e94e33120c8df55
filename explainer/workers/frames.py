"""One message between the web process and a worker: a JSON header and raw arrays, length-prefixed, over a socket.

On the wire: 4 bytes magic, 4 bytes header length, 8 bytes array length (big-endian), the header filled up to a multiple
of 8 bytes, the arrays one after another in the header's order, each C-contiguous and little-endian.
"""

from __future__ import annotations

import math
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

MAGIC: Final = b"XFR1"
PREFIX: Final = struct.Struct(">4sIQ")
MAX_HEADER: Final = 64 * 2**20
MAX_ARRAYS: Final = 2**30
MAX_DIMENSIONS: Final = 4
ALIGNMENT: Final = 8  # the header is filled up with blanks, so that the arrays after it lie where numbers may lie
SMALL: Final = 65536  # bytes of arrays up to which a frame is copied together and sent at once
DTYPES: Final = {"<f8": np.dtype("<f8"), "<i8": np.dtype("<i8")}

Array = npt.NDArray[Any]
Json = Any  # what orjson gives: dict, list, str, int, float, bool, None


class FrameError(Exception):
    """What arrived is not a frame, or a frame cannot carry what was given; the connection is of no more use."""


class ConnectionEndedError(FrameError):
    """The other side closed the connection between two frames."""


@dataclass(frozen=True, slots=True)
class Frame:
    kind: str
    body: Json = None
    arrays: Mapping[str, Array] = field(default_factory=dict)
    number: int = 0  # an answer bears the number of its question


def send(sock: socket.socket, frame: Frame, *, deadline: float | None = None) -> None:
    """Write one frame; TimeoutError when `deadline` (time.monotonic()) passes, OSError when the other side is gone."""
    parts = [(name, *_portable(array)) for name, array in frame.arrays.items()]
    table = [{"name": name, "dtype": dtype, "shape": array.shape} for name, dtype, array in parts]
    header = orjson.dumps({"kind": frame.kind, "number": frame.number, "body": frame.body, "arrays": table})
    header += b" " * (-len(header) % ALIGNMENT)
    size = sum(array.nbytes for _, _, array in parts)
    if len(header) > MAX_HEADER or size > MAX_ARRAYS:
        raise FrameError(f"A frame of {len(header)} + {size} bytes is above the limit of {MAX_HEADER} + {MAX_ARRAYS}.")
    pieces: list[bytes | memoryview] = [PREFIX.pack(MAGIC, len(header), size), header]
    pieces += [array.data.cast("B") for _, _, array in parts if array.nbytes]
    for piece in [b"".join(pieces)] if size <= SMALL else pieces:
        sock.settimeout(_left(deadline))
        sock.sendall(piece)


def packed(frame: Frame) -> bytes:
    """The bytes of a frame without arrays."""
    header = orjson.dumps({"kind": frame.kind, "number": frame.number, "body": frame.body, "arrays": []})
    header += b" " * (-len(header) % ALIGNMENT)
    return PREFIX.pack(MAGIC, len(header), 0) + header


def receive(sock: socket.socket, *, deadline: float | None = None) -> Frame:
    """Read one frame.

    Raises ConnectionEndedError at a clean end, FrameError for anything that is not a whole well-formed frame within the
    limits, TimeoutError when `deadline` (time.monotonic()) passes first.
    """
    magic, header_size, arrays_size = PREFIX.unpack(_exactly(sock, PREFIX.size, deadline, between=True))
    if magic != MAGIC:
        raise FrameError("What arrived does not begin like a frame.")
    if header_size > MAX_HEADER or arrays_size > MAX_ARRAYS:
        raise FrameError(f"A frame of {header_size} + {arrays_size} bytes was announced, which is above the limit.")
    if header_size % ALIGNMENT:
        raise FrameError(f"A frame's header must fill a multiple of {ALIGNMENT} bytes.")
    raw = memoryview(_exactly(sock, header_size + arrays_size, deadline))
    header = _header(raw[:header_size])
    layout = [_entry(entry) for entry in header["arrays"]]
    if sum(dtype.itemsize * math.prod(shape) for _, dtype, shape in layout) != arrays_size:
        raise FrameError("The arrays that a frame announces do not add up to its length.")
    return Frame(header["kind"], header["body"], _arrays(layout, raw[header_size:]), header["number"])


def _exactly(sock: socket.socket, size: int, deadline: float | None, *, between: bool = False) -> bytearray:
    buffer = bytearray(size)
    view, got = memoryview(buffer), 0
    while got < size:
        sock.settimeout(_left(deadline))
        count = sock.recv_into(view[got:])
        if count == 0:
            if between and got == 0:
                raise ConnectionEndedError("The connection was closed.")
            raise FrameError(f"The connection ended after {got} of {size} bytes.")
        got += count
    return buffer


def _header(raw: memoryview) -> dict[str, Json]:
    try:
        header = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise FrameError(f"A frame's header is not JSON: {error}.") from None
    if not isinstance(header, dict) or set(header) != {"kind", "number", "body", "arrays"}:
        raise FrameError("A frame's header must have exactly kind, number, body and arrays.")
    if (
        type(header["number"]) is not int
        or not isinstance(header["kind"], str)
        or not isinstance(header["arrays"], list)
    ):
        raise FrameError("A frame's kind must be a string, its number an integer and its arrays a list.")
    return header


def _entry(entry: Json) -> tuple[str, np.dtype[Any], tuple[int, ...]]:
    if not isinstance(entry, dict) or set(entry) != {"name", "dtype", "shape"}:
        raise FrameError("An array is announced by exactly name, dtype and shape.")
    name, dtype, shape = entry["name"], entry["dtype"], entry["shape"]
    if not isinstance(name, str) or not isinstance(dtype, str) or dtype not in DTYPES:
        raise FrameError(f"An array must have a name and one of the types {sorted(DTYPES)}.")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise FrameError(f"The shape of array {name!r} is not a list of at most {MAX_DIMENSIONS} lengths.")
    return name, DTYPES[dtype], tuple(shape)


def _arrays(layout: list[tuple[str, np.dtype[Any], tuple[int, ...]]], raw: memoryview) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    at = 0
    for name, dtype, shape in layout:
        count = math.prod(shape)
        if name in arrays:
            raise FrameError(f"Array {name!r} is announced twice.")
        flat = np.frombuffer(raw, dtype=dtype, count=count, offset=at) if count else np.empty(0, dtype)
        arrays[name] = flat.reshape(shape)
        at += count * dtype.itemsize
    return arrays


def _portable(array: Array) -> tuple[str, Array]:
    kinds = {"f": "<f8", "i": "<i8"}
    dtype = kinds.get(array.dtype.kind)
    if dtype is None or array.dtype.itemsize != 8 or array.ndim > MAX_DIMENSIONS:
        raise FrameError(f"A frame cannot carry an array of type {array.dtype} with {array.ndim} dimensions.")
    return dtype, np.require(array, DTYPES[dtype], "C")


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("The time for this exchange is over.")
    return left
