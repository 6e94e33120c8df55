"""Slows down guessing of one name from one address, and nobody else."""

from __future__ import annotations

import ipaddress
import math
import sqlite3
import time
from collections.abc import Callable
from hashlib import sha256

from explainer.durable import DurableFile
from explainer.errors import NotAuthenticated

FREE = 5  # attempts before the first wait
LONGEST_S = 60.0
FORGOTTEN_AFTER_S = 900.0
PLACES = 20_000  # pairs kept; those that were quiet longest are forgotten first
ANYWHERE = "anywhere"  # as an address: all addresses together


class Throttle:
    """After 5 failures each further one doubles the wait, up to 60 s, for this name from this address only.

    So whoever guesses from elsewhere cannot keep the owner of a name out. The count is in the file: all processes
    share it, and a restart does not forget it. Addresses of IPv6 count by their /64, which one subscriber has. Behind
    a proxy the address must be the client's, or all clients share one.
    """

    def __init__(self, file: DurableFile, *, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock

    def attempt(self, what: str, name: str, address: str, *, free: int = FREE) -> None:
        """Count an attempt at `what` before it is judged; raises NotAuthenticated while this pair has to wait."""
        pair, now = _pair(what, name, address), self._clock()

        def count(connection: sqlite3.Connection) -> float:
            found = connection.execute("SELECT failures, seen, until FROM attempts WHERE pair = ?", (pair,)).fetchone()
            failures, seen, until = found or (0, now, 0.0)
            until = min(until, now + LONGEST_S)  # a clock that was set back must keep nobody out
            if now < until:
                return until - now
            failures = 1 if now - seen > FORGOTTEN_AFTER_S else failures + 1
            delay = 0.0 if failures < free else min(LONGEST_S, 2.0 ** min(failures - free, 30))
            connection.execute("REPLACE INTO attempts VALUES (?,?,?,?)", (pair, failures, now, now + delay))
            if found is None:
                _forget(connection, now)
            return 0.0

        wait = self._file.write(count)
        if wait > 0:
            seconds = math.ceil(wait)
            raise NotAuthenticated(f"Too many failed attempts for this name from here: try again in {seconds} s.")

    def succeeded(self, what: str, name: str, address: str) -> None:
        pair = _pair(what, name, address)
        self._file.write(lambda c: c.execute("DELETE FROM attempts WHERE pair = ?", (pair,)))


def _forget(connection: sqlite3.Connection, now: float) -> None:
    connection.execute("DELETE FROM attempts WHERE seen < ?", (now - FORGOTTEN_AFTER_S,))
    connection.execute(
        "DELETE FROM attempts WHERE pair IN (SELECT pair FROM attempts ORDER BY seen DESC LIMIT -1 OFFSET ?)", (PLACES,)
    )


def _pair(what: str, name: str, address: str) -> bytes:
    # A digest: people type passwords into the field of the name.
    return sha256("\0".join((what, name, _network(address))).encode("utf-8", "replace")).digest()


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
