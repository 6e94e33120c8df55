"""The furnished rooms that every use case is given, and who is calling."""

from __future__ import annotations

from dataclasses import dataclass, field

from explainer.access.admit import Access
from explainer.access.budgets import Budgets, Left
from explainer.cache.tiers import Cache
from explainer.disclosure.policies import Policies
from explainer.ledger.sqlite import Ledger
from explainer.monitoring.meters import Meters, NoMeters
from explainer.receipts.store import ReceiptStore
from explainer.records import Principal
from explainer.registry.store import Registry
from explainer.reviews.store import ReviewStore
from explainer.settings import Settings
from explainer.usecases.extraction_hearing import Listener
from explainer.workers.asking import Asking
from explainer.workers.ports import Workers


@dataclass(frozen=True, slots=True)
class Rooms:
    settings: Settings
    access: Access
    registry: Registry
    cache: Cache
    workers: Workers
    receipts: ReceiptStore
    ledger: Ledger
    policies: Policies
    budgets: Budgets
    extraction: Listener
    reviews: ReviewStore
    meters: Meters = field(default_factory=NoMeters)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, under which request id, and by which door: `api`, `page` or `cli`.

    `entries` collects the numbers of the ledger entries written for this request, so that a door can see to it that
    there is always one; `left` holds what the last charge left of a budget. `client` is the connection that the
    request came by, where there is one: when it is closed from there nobody waits for an answer any more.
    """

    principal: Principal
    request_id: str
    door: str
    entries: list[int] = field(default_factory=list)
    client: object | None = None
    left: list[Left] = field(default_factory=list)

    def asking(self) -> Asking:
        """For whom the workers are asked."""
        return Asking(self.principal.id, client=self.client)
