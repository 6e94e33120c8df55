"""The only file that knows concrete classes: furnishes the rooms from the settings."""

from __future__ import annotations

from explainer.access.admit import Access
from explainer.cache.memory import MemoryTier
from explainer.cache.ports import Tier
from explainer.cache.sqlite import DiskTier
from explainer.cache.tiers import Cache, NoCache
from explainer.errors import StorageFailed
from explainer.ledger.sqlite import Ledger
from explainer.receipts.store import ReceiptStore
from explainer.registry.store import Registry
from explainer.settings import Settings
from explainer.usecases.rooms import Rooms
from explainer.workers.pool import WorkerPools

MEGABYTE = 1_000_000


def furnish(settings: Settings) -> Rooms:
    """Open every store under `settings.var`; workers start when `rooms.workers.start()` is called.

    Raises StorageFailed when the folder cannot be made or a store in it cannot be opened.
    """
    var = settings.var
    try:
        var.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageFailed(f"The folder {var} (EXPLAINER_VAR) could not be made: {error.strerror}.") from error
    return Rooms(
        settings=settings,
        access=Access(var / "access.db", session_hours=settings.session_hours),
        registry=Registry(settings),
        cache=_cache(settings),
        workers=WorkerPools(settings),
        receipts=ReceiptStore(var / "receipts.db"),
        ledger=Ledger(var / "ledger.db"),
    )


def _cache(settings: Settings) -> Cache:
    """A tier of size 0 is left out; with both left out every request computes for itself."""
    tiers: list[Tier] = []
    if settings.cache_memory_mb > 0:
        tiers.append(MemoryTier(settings.cache_memory_mb * MEGABYTE))
    if settings.cache_disk_mb > 0:
        tiers.append(DiskTier(settings.var / "cache.db", settings.cache_disk_mb * MEGABYTE))
    return Cache(tiers) if tiers else NoCache()
