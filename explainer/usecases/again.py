"""The same body from the same reader once more: let in and recorded as ever, answered in the words of the last time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from explainer.access.budgets import Charge, Left
from explainer.cache.memo import Memo
from explainer.disclosure.levels import Policy
from explainer.durable import Job
from explainer.errors import ExplainerError
from explainer.records import LedgerEntry, OpenReport, Principal
from explainer.settings import Settings
from explainer.usecases.explain import EVENT, Explained, entitled
from explainer.usecases.guarding import policy
from explainer.usecases.recording import Fact
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

MEGABYTE = 1_000_000
LONGEST_BODY = 64_000  # bytes; longer ones are many rows, where looking at them costs less than answering
KEPT_S = 60.0  # then the cache is asked again, whose own bound of age this adds to
OVERHEAD = 3000  # bytes of Python objects beside body and answer


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it came: model and version of the route, the bytes of the body, and how it was carried."""

    model: str
    version: str | None
    body: bytes
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What was answered before and behind the request's id, and what has to be as it was for it to hold."""

    before: bytes
    after: bytes
    digest: str
    report: OpenReport
    facts: dict[str, Fact]
    receipts: tuple[str, ...]
    principal: Principal
    policy: Policy
    charged: tuple[bytes, ...]


Answer = tuple[Said, list[tuple[str, str]]]


class Answers:
    """What was said within the last minute, and with which headers; as large as the settings say.

    No entry outlives the age at which the cache lets its own go.
    """

    def __init__(self, settings: Settings) -> None:
        kept_s = min(KEPT_S, settings.cache_ttl_s) if settings.cache_ttl_s > 0 else KEPT_S
        self._memo: Memo[Answer] = Memo(settings.answer_memory_mb * MEGABYTE, kept_s)

    def find(self, who: Principal, question: Question) -> Answer | None:
        return self._memo.get(_key(who, question))

    def keep(self, question: Question, said: Said, headers: list[tuple[str, str]]) -> None:
        size = len(question.body) + len(said.before) + len(said.after) + OVERHEAD
        self._memo.put(_key(said.principal, question), (said, headers), size)

    def forget(self, who: Principal, question: Question) -> None:
        self._memo.forget(_key(who, question))

    @property
    def size_bytes(self) -> int:
        return self._memo.size_bytes


def _key(who: Principal, question: Question) -> tuple[object, ...]:
    """What may be shown depends on the role, the receipts belong to the principal."""
    return (who.id, who.role, question.model, question.version, question.body, question.carried)


def repeatable(caller: Caller, done: Explained, parts: tuple[bytes, bytes]) -> Said | None:
    """The rendered answer as it may be given again; None unless the cache knew all of it.

    So nothing that a clock cut, and nothing without a cache, is ever among it.
    """
    if not all(done.hits):
        return None
    receipts = tuple(dict.fromkeys(done.receipts))
    return Said(
        before=parts[0],
        after=parts[1],
        digest=done.version.digest,
        report=done.asked.report,
        facts=dict(done.facts),
        receipts=receipts,
        principal=caller.principal,
        policy=done.policy,
        charged=done.charged,
    )


def say_again(
    rooms: Rooms, serving: Served, answers: Answers, bearer: str, question: Question, request_id: str
) -> tuple[Answer, Left | None] | None:
    """Return what this bearer was told and what is left of a budget; None where the whole way has to be gone.

    Its entry is on disk then. Asked anew each time: key, role and grants, what the role may see, the budget, the
    version in service and its methods, whether the receipts are there still.
    """
    with suppress(ExplainerError):  # the whole way raises it again, records it, and says why
        principal = rooms.access.principal_of_bearer(bearer)
        found = answers.find(principal, question)
        if found is None:
            return None
        said, caller = found[0], Caller(principal, request_id, "api")
        version = entitled(rooms, caller, question.model, question.version)
        same = version.digest == said.digest and serving.opened(version) == said.report
        if same and policy(rooms, caller, question.model) == said.policy:
            entry = LedgerEntry(f"api:{EVENT}", principal.id, "answered", request_id, said.facts)
            paid = rooms.budgets.again(principal, question.model, said.digest, said.charged)
            beside: list[Job[None]] = [rooms.receipts.still(said.receipts)]
            if not isinstance(paid, Charge):
                rooms.ledger.append(entry, beside)
                return found, paid
            rooms.ledger.append(entry, [paid, *beside])
            rooms.budgets.settle(paid)
            return found, paid.left
        answers.forget(principal, question)
    return None
