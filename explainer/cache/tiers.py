"""Only what is not known is computed, and what two ask for at once is computed once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from explainer.cache.counts import Counts
from explainer.cache.flights import Flight
from explainer.cache.lifetime import Lifetime
from explainer.cache.ports import Entry, Leases, Tier
from explainer.cache.stamp import Stamp

Computed = tuple[bytes, bool]  # the answer, and whether it may be kept and shared
Found = tuple[bytes, bool]  # the answer, and whether it was a hit
Compute = Callable[[Sequence[bytes]], Sequence[Computed]]
LEASED_AT_ONCE = 256  # keys of one request; of more, other hosts are not told
LEASE_PATIENCE_S = 10.0


class Cache:
    """Tiers from quick to slow with single flight in front; safe for threads."""

    def __init__(
        self,
        tiers: Sequence[Tier],
        *,
        lifetime: Lifetime | None = None,
        leases: Leases | None = None,
        stamp: Stamp | None = None,
    ) -> None:
        """`lifetime`: None for answers that are good for ever. `leases`: single flight among hosts.

        `stamp` is what the tiers in memory of all processes of this host look at.
        """
        self._tiers = tuple(tiers)
        self._stamp = stamp
        self._leases = leases
        self._lifetime = lifetime or Lifetime()
        self._flights: dict[bytes, Flight] = {}
        self._lock = threading.Lock()
        self._counts = Counts("hits", "misses", "computed", "expired")

    def through(
        self,
        keys: Sequence[bytes],
        compute_missing: Callable[[list[int]], Sequence[Computed]],
        *,
        patience_s: float | None = None,
    ) -> list[Found]:
        """Return (answer, hit) for each key; a hit was not computed for this call.

        `compute_missing` gets the positions in `keys` that nobody knows, each distinct key once, and returns
        (answer, may be kept) in their order. What another thread or host is computing is waited for, at most
        `patience_s` seconds (None: as long as it takes, for other hosts LEASE_PATIENCE_S); an Exception in another
        thread is raised here too. An answer that may not be kept is given to its own caller only: those who waited
        for it compute for themselves.
        """
        positions = {key: i for i, key in reversed(list(enumerate(keys)))}

        def compute(missing: Sequence[bytes]) -> Sequence[Computed]:
            return compute_missing([positions[key] for key in missing])

        distinct = list(dict.fromkeys(keys))
        known = self._look_up(distinct, self._tiers)
        missing = [key for key in distinct if key not in known]
        if missing:
            known |= self._obtain(missing, compute, patience_s)
        self._counts.found(sum(known[key][1] for key in distinct), len(distinct))
        return [known[key] for key in keys]

    def erase(self, keys: Sequence[bytes]) -> bool:
        """Forget these answers for good, in the tiers and in the memory of every process of this host.

        False where that is not certain; the log says why. Other processes forget all that they hold in memory.
        """
        if not keys:
            return True
        gone = [tier.erase(keys) for tier in self._tiers]
        renewed = self._stamp is None or self._stamp.renew()
        return all(gone) and renewed

    def stats(self) -> dict[str, dict[str, int]]:
        """Return the counts of the whole (`cache`: distinct keys of each call) and of each tier by its name."""
        return {"cache": self._counts.now()} | {tier.name: tier.stats() for tier in self._tiers}

    def close(self) -> None:
        """Write what waits to be written and close the tiers."""
        for tier in self._tiers:
            tier.close()

    def _obtain(self, missing: list[bytes], compute: Compute, patience_s: float | None) -> dict[bytes, Found]:
        until = None if patience_s is None else time.monotonic() + patience_s
        flight = Flight()
        with self._lock:
            others = {key: self._flights[key] for key in missing if key in self._flights}
            mine = [key for key in missing if key not in others]
            self._flights.update(dict.fromkeys(mine, flight))
        found: dict[bytes, Found] = {}
        try:
            with flight:
                found = self._fly(mine, compute, flight, until)
        finally:
            with self._lock:
                for key in mine:
                    del self._flights[key]
            flight.landed.set()
        for key, other in others.items():
            if (answer := other.wait(key, _left(until))) is not None:
                found[key] = (answer, True)
        return found | _misses(self._compute([key for key in missing if key not in found], compute))

    def _fly(self, mine: list[bytes], compute: Compute, flight: Flight, until: float | None) -> dict[bytes, Found]:
        """Obtain what this thread has claimed, and share it with those who wait."""
        # It may have become known between the first look and the claim: what this process puts is in its first tier.
        found = self._look_up(mine, self._tiers[:1])
        flight.share(found)
        missing = [key for key in mine if key not in found]
        if self._leases is None or not 0 < len(missing) <= LEASED_AT_ONCE:
            return found | self._launch(missing, compute, flight)
        claimed, entries = self._leases.claim(missing)
        try:
            found |= self._take(entries, flight)
            found |= self._launch([key for key in missing if key in claimed and key not in found], compute, flight)
        finally:
            self._leases.release(claimed)
        if theirs := [key for key in missing if key not in found]:
            patience_s = LEASE_PATIENCE_S if until is None else min(_left(until) or 0.0, LEASE_PATIENCE_S)
            found |= self._take(self._leases.wait(theirs, patience_s), flight)
        return found | self._launch([key for key in missing if key not in found], compute, flight)

    def _launch(self, keys: Sequence[bytes], compute: Compute, flight: Flight) -> dict[bytes, Found]:
        fresh = self._compute(keys, compute)
        flight.share(fresh)
        return _misses(fresh)

    def _take(self, entries: dict[bytes, Entry], flight: Flight) -> dict[bytes, Found]:
        """Take what another host has computed: it lies in the slowest tier, which the hosts share."""
        good, _ = self._sift(entries)
        self._keep(good, self._tiers[:-1])
        found = {key: (entry.value, True) for key, entry in good.items()}
        flight.share(found)
        return found

    def _compute(self, keys: Sequence[bytes], compute: Compute) -> dict[bytes, Computed]:
        if not keys:
            return {}
        results = dict(zip(keys, compute(keys), strict=True))
        self._counts.add("computed", len(results))
        now = self._lifetime.now_ms()
        self._keep({key: Entry(answer, now) for key, (answer, keep) in results.items() if keep}, self._tiers)
        return results

    def _look_up(self, keys: Iterable[bytes], tiers: Sequence[Tier]) -> dict[bytes, Found]:
        known: dict[bytes, Entry] = {}
        wanted = list(keys)
        for depth, tier in enumerate(tiers):
            if not wanted:
                break
            here, stale = self._sift(tier.get(wanted))
            if stale:
                self._counts.add("expired", len(stale))
                tier.remove(stale)
            self._keep(here, tiers[:depth])
            known |= here
            wanted = [key for key in wanted if key not in here]
        return {key: (entry.value, True) for key, entry in known.items()}

    def _sift(self, entries: dict[bytes, Entry]) -> tuple[dict[bytes, Entry], list[bytes]]:
        """Return the entries that are within their time, and the keys of those that are not."""
        bounds = self._lifetime.bounds_ms()
        if bounds is None or not entries:
            return entries, []
        stale = [key for key, entry in entries.items() if not bounds[0] <= entry.written_ms <= bounds[1]]
        return {key: entry for key, entry in entries.items() if key not in stale} if stale else entries, stale

    def _keep(self, entries: Mapping[bytes, Entry], tiers: Sequence[Tier]) -> None:
        for tier in tiers if entries else ():
            tier.put(entries)


class NoCache(Cache):
    """The null twin: everything is computed for everyone who asks."""

    def __init__(self) -> None:
        super().__init__(())

    def through(
        self,
        keys: Sequence[bytes],
        compute_missing: Callable[[list[int]], Sequence[Computed]],
        *,
        patience_s: float | None = None,
    ) -> list[Found]:
        self._counts.add("misses", len(keys))
        self._counts.add("computed", len(keys))
        return [(answer, False) for answer, _ in compute_missing(list(range(len(keys))))]


def _misses(results: Mapping[bytes, Computed]) -> dict[bytes, Found]:
    return {key: (answer, False) for key, (answer, _) in results.items()}


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - time.monotonic())
