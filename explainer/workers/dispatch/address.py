"""Unix sockets at paths of any length: a socket's own address holds 107 bytes."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LONGEST: Final = 107


def listening(path: Path) -> socket.socket:
    """Return a socket that listens at `path`, for its owner only; what lay there is removed. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        with _address(path) as address:
            sock.bind(address)
    finally:
        os.umask(before)
    sock.listen(1024)
    return sock


def connected(path: Path, timeout_s: float) -> socket.socket:
    """Return a socket connected to `path`; raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        with _address(path) as address:
            sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
