"""The tier that several hosts share, in Redis: its loss costs one short wait, its entries end by themselves."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from redis import Redis

from explainer.cache.behind import WriteBehind
from explainer.cache.counts import Counts
from explainer.cache.cover import Checked, Cover, uncovered
from explainer.cache.holding import Holding
from explainer.cache.lifetime import Lifetime
from explainer.cache.ports import Entry
from explainer.cache.server import Server

log = logging.getLogger(__name__)

PREFIX = b"explainer:1:"
LARGEST = 16_000_000  # bytes of one value
KEYS_AT_ONCE = 256
BYTES_AT_ONCE = 1_000_000
LEASE_MS = 2000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.002, 0.05  # between two looks for what another host computes
RELEASE = """
for i, name in ipairs(KEYS) do if redis.call('GET', name) == ARGV[i] then redis.call('DEL', name) end end
"""
RENEW = """
for i, name in ipairs(KEYS) do
  if redis.call('GET', name) == ARGV[i] then redis.call('PEXPIRE', name, ARGV[#ARGV]) end
end
"""


class RedisTier:
    """Entries and leases in one Redis; safe for threads. No error of Redis leaves this class.

    Redis that does not answer within `timeout_s` is left alone and tried every `retry_s` seconds in the background.
    Its memory is bounded by its own `maxmemory`.
    """

    name = "redis"

    def __init__(
        self,
        url: str,
        *,
        cover: Cover | None = None,
        lifetime: Lifetime | None = None,
        timeout_s: float = 0.1,
        retry_s: float = 3.0,
    ) -> None:
        """Raises SettingsError for an address that is none; nothing is connected yet."""
        self._cover = cover or Checked()
        self._lifetime = lifetime or Lifetime()
        self._counts = Counts("hits", "misses", "errors", "broken")
        self._server = Server(url, timeout_s, retry_s, self._counts)
        self._holding = Holding(self._renew, LEASE_MS / 3000)

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Entry]:
        wanted, found = list(keys), dict[bytes, Entry]()
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            some = wanted[start : start + KEYS_AT_ONCE]
            values = self._server.ask(partial(Redis.mget, keys=self._names(some)))
            if values is None:
                break
            found |= self._uncover(some, values)
        self._counts.found(len(found), len(wanted))
        return found

    def put(self, entries: Mapping[bytes, Entry]) -> None:
        """Keep the entries, each for the rest of its time, and give back what was claimed of them."""
        batch: dict[bytes, Entry] = {}
        size = 0
        for key, entry in entries.items():
            if len(entry.value) <= LARGEST:
                batch[key] = entry
                size += len(entry.value)
            if size > BYTES_AT_ONCE:
                self._set(batch)
                batch, size = {}, 0
        self._set(batch)
        self.release(entries)

    def remove(self, keys: Iterable[bytes]) -> None:
        if names := self._names(keys):
            self._server.ask(lambda client: client.delete(*names))

    def erase(self, keys: Iterable[bytes]) -> bool:
        """False where Redis does not answer; what it saved to a file of its own is there until it saves again."""
        names = self._names(keys)
        return not names or self._server.ask(lambda client: client.delete(*names)) is not None

    def claim(self, keys: Iterable[bytes]) -> tuple[set[bytes], dict[bytes, Entry]]:
        """Return the keys that the caller shall compute, and entries that are known by now; others compute the rest."""
        wanted = list(keys)
        tokens = {key: os.urandom(16) for key in wanted}

        def ask(client: Redis) -> list[Any]:
            pipe = client.pipeline(transaction=False)
            for key in wanted:
                pipe.set(self._lease(key), tokens[key], nx=True, px=LEASE_MS)
            pipe.mget(self._names(wanted))
            return list(pipe.execute(raise_on_error=False))

        answers = self._server.ask(ask)
        if answers is None or isinstance(answers[-1], Exception):
            return set(wanted), {}
        claimed = {key for key, answer in zip(wanted, answers, strict=False) if answer is not None}
        self._holding.hold({key: tokens[key] for key in claimed})
        found = self._uncover(wanted, answers[-1])
        self.release(claimed & found.keys())
        return claimed - found.keys(), found

    def release(self, keys: Iterable[bytes]) -> None:
        """Give back claimed keys; what was put before is found by whoever waits."""
        held = self._holding.let_go(keys)
        if held:
            names = [self._lease(key) for key in held]
            self._server.ask(lambda client: client.eval(RELEASE, len(names), *names, *held.values()))

    def wait(self, keys: Iterable[bytes], patience_s: float) -> dict[bytes, Entry]:
        """Return what others computed meanwhile; ends early for keys that nobody computes any more."""
        until, pause_s = time.monotonic() + patience_s, FIRST_PAUSE_S
        missing, found = list(keys), dict[bytes, Entry]()
        while missing:
            names = [*self._names(missing), *(self._lease(key) for key in missing)]
            values = self._server.ask(partial(Redis.mget, keys=names))
            if values is None:
                break
            found |= self._uncover(missing, values[: len(missing)])
            leases = values[len(missing) :]
            missing = [k for k, lease in zip(missing, leases, strict=True) if lease is not None and k not in found]
            if time.monotonic() >= until:
                break
            if missing:
                time.sleep(min(pause_s, max(0.0, until - time.monotonic())))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return found

    def stats(self) -> dict[str, int]:
        """As every tier; `bytes` and `evictions` are those of the whole Redis, `up` is 1 while it answers."""
        counts = self._counts.now()
        told = self._server.ask(Redis.info) or {}
        server = {"bytes": told.get("used_memory", 0), "evictions": told.get("evicted_keys", 0)}
        return {**counts, **server, "up": int(self._server.is_up())}

    def close(self) -> None:
        self._server.close()

    def _uncover(self, keys: list[bytes], values: list[object]) -> dict[bytes, Entry]:
        found: dict[bytes, Entry] = {}
        broken: list[bytes] = []
        for key, value in zip(keys, values, strict=True):
            if value is None:
                continue
            entry = uncovered(self._cover, key, value)
            if isinstance(entry, Entry):
                found[key] = entry
            else:
                broken.append(key)
                why = entry
        if broken:
            log.warning("%s: %d entries are computed anew: %s", self._server.place, len(broken), why)
            self._counts.add("broken", len(broken))
            self.remove(broken)
        return found

    def _set(self, batch: Mapping[bytes, Entry]) -> None:
        if not batch:
            return
        now, ttl_ms = self._lifetime.now_ms(), self._lifetime.ttl_ms

        def ask(client: Redis) -> list[Any]:
            pipe = client.pipeline(transaction=False)
            for key, entry in batch.items():
                left_ms = min(max(1, entry.written_ms + ttl_ms - now), ttl_ms) if ttl_ms else None
                pipe.set(self._name(key), self._cover.wrap(key, entry), px=left_ms)
            return list(pipe.execute(raise_on_error=False))

        for answer in self._server.ask(ask) or ():
            if isinstance(answer, Exception):
                self._server.complain(answer)

    def _renew(self, tokens: Mapping[bytes, bytes]) -> None:
        names = [self._lease(key) for key in tokens]
        self._server.ask(lambda client: client.eval(RENEW, len(names), *names, *tokens.values(), LEASE_MS))

    def _name(self, key: bytes) -> bytes:
        return PREFIX + b"e:" + self._cover.name(key).hex().encode()

    def _names(self, keys: Iterable[bytes]) -> list[bytes]:
        return [self._name(key) for key in keys]

    def _lease(self, key: bytes) -> bytes:
        return PREFIX + b"l:" + self._cover.name(key).hex().encode()


class RedisBehind(WriteBehind):
    """The same with a `put` that does not wait; a claim on what still waits is given back once it is written."""

    def __init__(self, tier: RedisTier) -> None:
        super().__init__(tier)
        self._redis = tier

    def claim(self, keys: Iterable[bytes]) -> tuple[set[bytes], dict[bytes, Entry]]:
        return self._redis.claim(keys)

    def wait(self, keys: Iterable[bytes], patience_s: float) -> dict[bytes, Entry]:
        return self._redis.wait(keys, patience_s)

    def release(self, keys: Iterable[bytes]) -> None:
        with self._changed:
            given = [key for key in keys if key not in self._waiting]
        self._redis.release(given)
