"""Only what is not known is computed, and what two ask for at once is computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType

from explainer.cache.ports import Tier

Computed = tuple[bytes, bool]  # the answer, and whether it may be kept and shared
Found = tuple[bytes, bool]  # the answer, and whether it was a hit


class Cache:
    """Tiers from quick to slow with single flight in front; safe for threads."""

    def __init__(self, tiers: Sequence[Tier]) -> None:
        self._tiers = tuple(tiers)
        self._flights: dict[bytes, _Flight] = {}
        self._lock = threading.Lock()

    def through(
        self,
        keys: Sequence[bytes],
        compute_missing: Callable[[list[int]], Sequence[Computed]],
        *,
        patience_s: float | None = None,
    ) -> list[Found]:
        """Return (answer, hit) for each key; a hit was not computed for this call.

        `compute_missing` gets the positions in `keys` that nobody knows, each distinct key once, and returns
        (answer, may be kept) in their order. What another thread is computing is waited for, at most `patience_s`
        seconds (None: as long as it takes); an Exception there is raised here too. An answer that may not be kept is
        given to its own caller only: those who waited for it compute for themselves.
        """
        positions = {key: i for i, key in reversed(list(enumerate(keys)))}

        def compute(missing: Sequence[bytes]) -> Sequence[Computed]:
            return compute_missing([positions[key] for key in missing])

        distinct = list(dict.fromkeys(keys))
        known = self._look_up(distinct)
        missing = [key for key in distinct if key not in known]
        if missing:
            known |= self._obtain(missing, compute, patience_s)
        return [known[key] for key in keys]

    def _obtain(
        self, missing: list[bytes], compute: Callable[[Sequence[bytes]], Sequence[Computed]], patience_s: float | None
    ) -> dict[bytes, Found]:
        flight = _Flight()
        with self._lock:
            others = {key: self._flights[key] for key in missing if key in self._flights}
            mine = [key for key in missing if key not in others]
            self._flights.update(dict.fromkeys(mine, flight))
        found: dict[bytes, Found] = {}
        try:
            with flight:
                found |= self._look_up(mine)  # it may have become known between the first look and the claim
                flight.share(found)
                fresh = self._compute([key for key in mine if key not in found], compute)
                flight.share(fresh)
                found |= _misses(fresh)
        finally:
            with self._lock:
                for key in mine:
                    del self._flights[key]
            flight.landed.set()
        for key, other in others.items():
            if (answer := other.wait(key, patience_s)) is not None:
                found[key] = (answer, True)
        return found | _misses(self._compute([key for key in missing if key not in found], compute))

    def _compute(
        self, keys: list[bytes], compute: Callable[[Sequence[bytes]], Sequence[Computed]]
    ) -> dict[bytes, Computed]:
        if not keys:
            return {}
        results = dict(zip(keys, compute(keys), strict=True))
        self._keep({key: answer for key, (answer, keep) in results.items() if keep}, self._tiers)
        return results

    def _look_up(self, keys: Iterable[bytes]) -> dict[bytes, Found]:
        known: dict[bytes, bytes] = {}
        wanted = list(keys)
        for depth, tier in enumerate(self._tiers):
            if not wanted:
                break
            here = tier.get(wanted)
            self._keep(here, self._tiers[:depth])
            known |= here
            wanted = [key for key in wanted if key not in here]
        return {key: (answer, True) for key, answer in known.items()}

    def _keep(self, values: Mapping[bytes, bytes], tiers: Sequence[Tier]) -> None:
        for tier in tiers if values else ():
            tier.put(values)


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
        return [(answer, False) for answer, _ in compute_missing(list(range(len(keys))))]


def _misses(results: Mapping[bytes, Computed]) -> dict[bytes, Found]:
    return {key: (answer, False) for key, (answer, _) in results.items()}


class _Flight:
    """What one thread is computing, for others to read once it has `landed`."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self._shared: dict[bytes, bytes] = {}
        self._error: Exception | None = None

    def __enter__(self) -> _Flight:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self._error = error

    def share(self, answers: Mapping[bytes, tuple[bytes, bool]]) -> None:
        self._shared.update({key: answer for key, (answer, may_be_shared) in answers.items() if may_be_shared})

    def wait(self, key: bytes, patience_s: float | None) -> bytes | None:
        """Return the shared answer, None when there is none to share; raises the computing thread's error."""
        if not self.landed.wait(patience_s):
            return None
        if self._error is not None:
            raise self._error
        return self._shared.get(key)
