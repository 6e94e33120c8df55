"""Frames arrive as they were sent, to the bit, and whatever is not a whole frame is refused."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from explainer.workers.frames import (
    MAX_ARRAYS,
    MAX_HEADER,
    PREFIX,
    ConnectionEndedError,
    Frame,
    FrameError,
    receive,
    send,
)

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def raw(header: object, arrays: bytes = b"", *, size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else orjson.dumps(header)
    text += b" " * (-len(text) % 8)
    return PREFIX.pack(b"XFR1", len(text), len(arrays) if size is None else size) + text + arrays


def announced(**changes: object) -> dict[str, object]:
    return {"kind": "k", "number": 0, "body": None, "arrays": [], **changes}


def array(**changes: object) -> list[dict[str, object]]:
    return [{"name": "a", "dtype": "<f8", "shape": [1], **changes}]


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
def test_floats_keep_their_bits(values: np.ndarray) -> None:
    """Every float64, NaN payloads and signed zeros too, comes back with the same bits and shape."""
    left, right = socket.socketpair()
    with left, right:
        send(left, Frame("k", {"x": 1}, {"a": values}, 7))
        frame = receive(right)
    assert (frame.kind, frame.body, frame.number) == ("k", {"x": 1}, 7)
    assert frame.arrays["a"].shape == values.shape
    assert frame.arrays["a"].tobytes() == np.ascontiguousarray(values).tobytes()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), st.text(max_size=20))
def test_several_arrays_lie_where_numbers_may_lie(numbers: list[int], text: str) -> None:
    """Arrays after a header of any length are aligned, writable and kept apart."""
    left, right = socket.socketpair()
    with left, right:
        send(left, Frame("k", text, {"i": np.array(numbers, dtype=np.int64), "f": np.ones((2, 3)).T}))
        arrays = receive(right).arrays
    assert arrays["i"].tolist() == numbers
    assert arrays["f"].shape == (3, 2)
    assert all(a.flags.aligned and a.flags.writeable for a in arrays.values())


def test_large_frames_arrive_in_pieces(pair: Pair) -> None:
    """A frame far above the socket's buffer arrives whole."""
    values = np.random.default_rng(0).normal(size=(1000, 500))
    thread = threading.Thread(target=send, args=(pair[0], Frame("k", None, {"a": values})))
    thread.start()
    received = receive(pair[1]).arrays["a"]
    thread.join()
    assert received.tobytes() == values.tobytes()


@pytest.mark.parametrize(
    "values", [np.zeros(1, np.float32), np.zeros(1, bool), np.array(["x"]), np.array([None]), np.zeros((1,) * 5)]
)
def test_only_known_arrays_are_sent(pair: Pair, values: np.ndarray) -> None:
    """Other types than float64 and int64, and more than four dimensions, are refused before anything is sent."""
    with pytest.raises(FrameError, match="cannot carry"):
        send(pair[0], Frame("k", None, {"a": values}))
    pair[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        pair[1].recv(1)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\n\r\n.......",
        PREFIX.pack(b"XFR1", MAX_HEADER + 8, 0),
        PREFIX.pack(b"XFR1", 8, MAX_ARRAYS + 1),
        PREFIX.pack(b"XFR1", 7, 0) + b"{}     ",
        raw(b"not json"),
        raw(b'{"kind": NaN}'),
        raw([]),
        raw({"kind": "k"}),
        raw(announced(more=1)),
        raw(announced(kind=1)),
        raw(announced(number=True)),
        raw(announced(number="1")),
        raw(announced(arrays={})),
        raw(announced(arrays=["a"])),
        raw(announced(arrays=array()), b"\0" * 7),
        raw(announced(arrays=array(shape=[2])), b"\0" * 8),
        raw(announced(arrays=array(shape=[-1])), b"\0" * 8),
        raw(announced(arrays=array(shape=[True])), b"\0" * 8),
        raw(announced(arrays=array(shape=[1.0])), b"\0" * 8),
        raw(announced(arrays=array(shape=[1] * 5)), b"\0" * 8),
        raw(announced(arrays=array(shape=[2**62, 4])), b""),
        raw(announced(arrays=array(dtype="|O")), b"\0" * 8),
        raw(announced(arrays=array(dtype="<f4")), b"\0" * 4),
        raw(announced(arrays=array(dtype=["<f8"])), b"\0" * 8),
        raw(announced(arrays=array(name=1)), b"\0" * 8),
        raw(announced(arrays=array() * 2), b"\0" * 16),
        raw(announced(), b"\0" * 8),
        raw(announced())[:10],
        raw(announced())[:-1],
        raw(announced(arrays=array()), b"\0" * 5, size=8),
    ],
)
def test_what_is_no_frame_is_refused(pair: Pair, sent: bytes) -> None:
    """Garbage, wrong types, lengths that do not add up and frames that break off raise FrameError, nothing else."""
    pair[0].sendall(sent)
    pair[0].shutdown(socket.SHUT_WR)
    with pytest.raises(FrameError) as caught:
        receive(pair[1])
    assert not isinstance(caught.value, ConnectionEndedError)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(sent: bytes) -> None:
    """No random bytes are taken for a frame or raise anything but FrameError."""
    left, right = socket.socketpair()
    with left, right:
        left.sendall(sent)
        left.shutdown(socket.SHUT_WR)
        with pytest.raises(FrameError):
            receive(right)


@given(st.binary(max_size=120), st.integers(0, 40))
def test_random_headers_are_refused(header: bytes, size: int) -> None:
    """A well-formed prefix before random bytes raises nothing but FrameError."""
    left, right = socket.socketpair()
    with left, right:
        left.sendall(struct.pack(">4sIQ", b"XFR1", len(header), size) + header + b"\0" * size)
        left.shutdown(socket.SHUT_WR)
        with pytest.raises(FrameError):
            receive(right)


def test_a_clean_end_is_told_from_a_broken_one(pair: Pair) -> None:
    """A connection that closes between frames raises ConnectionEndedError."""
    pair[0].close()
    with pytest.raises(ConnectionEndedError):
        receive(pair[1])


def test_reading_ends_at_the_deadline(pair: Pair) -> None:
    """A sender that lets bytes drip cannot hold the reader beyond its deadline."""
    whole = raw(announced(body="x" * 1000))

    def drip() -> None:
        for i in range(len(whole)):
            try:
                pair[0].sendall(whole[i : i + 1])
            except OSError:
                return
            time.sleep(0.01)

    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(TimeoutError):
        receive(pair[1], deadline=time.monotonic() + 0.1)
    pair[1].close()
    thread.join()


def test_writing_ends_at_the_deadline(pair: Pair) -> None:
    """A reader that does not read cannot hold the sender beyond its deadline."""
    with pytest.raises(TimeoutError):
        send(pair[0], Frame("k", None, {"a": np.zeros(2**20)}), deadline=time.monotonic() + 0.1)
