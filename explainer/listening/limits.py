"""How long a client may take, and how much it may send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes. What is beyond is refused with 408, 413, 431 or 503, never waited for."""

    connections: int = 2000  # of one process; beyond, the one that has been idle longest gives way
    head_bytes: int = 32_768
    body_bytes: int = 8_000_000
    head_s: float = 10.0  # from the first byte of a request to the end of its head
    body_s: float = 30.0  # from there to the end of its body, and a second more for each `pace` bytes that came
    answer_s: float = 30.0  # in which a client has to take its answer, and a second more for each `pace` bytes taken
    pace: int = 65_536
    farewell_s: float = 2.0  # in which a client that is hung up on may still be reading
    held_bytes: int = 64_000_000  # of all bodies above `small_bytes` that one process holds at a time
    small_bytes: int = 65_536
    backlog: int = 64  # whole requests that wait for a thread
