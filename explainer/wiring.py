"""The only file that knows concrete classes: furnishes the rooms from the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from explainer.access.admit import Access, Choices
from explainer.access.budgets import Budgets
from explainer.access.providers import is_loopback_host, read_providers
from explainer.cache.behind import WriteBehind
from explainer.cache.cover import Cover, cover_for
from explainer.cache.lifetime import Lifetime
from explainer.cache.memory import MemoryTier
from explainer.cache.ports import Tier
from explainer.cache.sqlite import DiskTier
from explainer.cache.stamp import Stamp
from explainer.cache.tiers import Cache, NoCache
from explainer.disclosure.policies import Policies
from explainer.durable import DurableFile
from explainer.errors import StorageFailed
from explainer.ledger.layout import open_file
from explainer.masterkeys import read_master_keys
from explainer.monitoring.extraction_store import ExtractionStore
from explainer.monitoring.meters import Meters, NoMeters
from explainer.monitoring.watching import WatchedTier
from explainer.receipts.store import ReceiptStore
from explainer.registry.store import Registry
from explainer.reviews.store import ReviewStore
from explainer.sealing import Envelope, MasterKeys
from explainer.settings import Settings, SettingsError
from explainer.usecases.extraction_hearing import Listener
from explainer.usecases.rooms import Rooms
from explainer.usecases.watched_ledger import WatchedLedger
from explainer.workers.pool import WorkerPools
from explainer.workers.ports import Workers

if TYPE_CHECKING:
    from explainer.cache.redis import RedisBehind

MEGABYTE = 1_000_000


def furnish(settings: Settings, workers: Workers | None = None, meters: Meters | None = None) -> Rooms:
    """Open every store under `settings.var`; `workers` are this process's own unless others are given.

    They start when `rooms.workers.start()` is called. Without `meters` nothing is measured.

    Raises StorageFailed when the folder cannot be made or a store in it cannot be opened, SettingsError for settings
    that do not go together.
    """
    var = settings.var
    try:
        var.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageFailed(f"The folder {var} (EXPLAINER_VAR) could not be made: {error.strerror}.") from error
    _check_reviews(settings)
    masters = read_master_keys(settings)
    records = open_file(var / "ledger.db")  # an entry and the receipts that it names are written together
    controls = DurableFile(var / "controls.db", "")  # what administrators chose: policies and budgets
    watching = meters or NoMeters()
    receipts = ReceiptStore(records, earlier=var / "receipts.db", masters=masters)
    choices = _choices(settings, masters)
    registry = Registry(settings)
    return Rooms(
        settings=settings,
        access=Access(var / "access.db", session_hours=settings.session_hours, choices=choices),
        registry=registry,
        cache=_cache(settings, masters, watching),
        workers=workers or WorkerPools(settings),
        receipts=receipts,
        ledger=WatchedLedger(records, watching),
        policies=Policies(controls),
        budgets=Budgets(controls, records),
        extraction=Listener(ExtractionStore(DurableFile(var / "extraction.db", "")), registry),
        reviews=ReviewStore(records, receipts.seals),
        meters=watching,
    )


def _check_reviews(settings: Settings) -> None:
    if not 0.0 <= settings.review_sample <= 1.0:
        raise SettingsError("EXPLAINER_REVIEW_SAMPLE is a share: give a number from 0 to 1.")
    if settings.review_blind not in ("never", "sample", "always"):
        raise SettingsError("EXPLAINER_REVIEW_BLIND: give never, sample or always.")


def _choices(settings: Settings, masters: MasterKeys | None) -> Choices:
    """Ways in; the demo's person signs in by password alone only where nobody but this machine can ask."""
    public = urlsplit(settings.public_url).hostname or settings.host
    return Choices(
        idle=timedelta(minutes=settings.session_idle_minutes),
        open_demo=is_loopback_host(settings.host) and is_loopback_host(public),
        seal=None if masters is None else Envelope(masters, "access"),
        providers=read_providers(settings.oidc),
    )


def _cache(settings: Settings, masters: MasterKeys | None, meters: Meters) -> Cache:
    """A tier of size 0 is left out, and Redis without an address; with none left every request computes for itself."""
    if settings.cache_ttl_s < 0:
        raise SettingsError("EXPLAINER_CACHE_TTL_S is negative: give seconds, or 0 for no bound.")
    lifetime, cover = Lifetime(settings.cache_ttl_s), cover_for(masters)
    stamp = Stamp(settings.var / "cache-erased")  # renewed when answers were erased
    tiers: list[Tier] = []
    if settings.cache_memory_mb > 0:
        tiers.append(WatchedTier(MemoryTier(settings.cache_memory_mb * MEGABYTE, stamp), meters, own=True))
    if settings.cache_disk_mb > 0:
        bound = settings.cache_disk_mb * MEGABYTE
        disk = WriteBehind(DiskTier(settings.var / "cache.db", bound, cover=cover, lifetime=lifetime))
        tiers.append(WatchedTier(disk, meters, own=False))
    shared = None if settings.redis_url is None else _redis(settings.redis_url, cover, lifetime)
    if shared is not None:
        tiers.append(WatchedTier(shared, meters, own=False))
    return Cache(tiers, lifetime=lifetime, leases=shared, stamp=stamp) if tiers else NoCache()


def _redis(url: str, cover: Cover, lifetime: Lifetime) -> RedisBehind:
    try:
        from explainer.cache.redis import RedisBehind, RedisTier  # the client takes half a second to import
    except ModuleNotFoundError:
        raise SettingsError(
            "EXPLAINER_REDIS_URL is set, but the package `redis` is missing: pip install 'explainer[redis]'."
        ) from None
    return RedisBehind(RedisTier(url, cover=cover, lifetime=lifetime))
