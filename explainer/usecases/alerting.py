"""What is worth an alert: found in ledger, meters and the state of the models, by one process of the service."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from explainer.errors import ExplainerError
from explainer.ledger.chain import GENESIS, Head
from explainer.ledger.sqlite import Recorded
from explainer.monitoring.alerts import Alert, Outbox
from explainer.monitoring.alerts_sending import Channel, send_due
from explainer.monitoring.catalogue import DEATHS
from explainer.monitoring.gathering import combined, tallies
from explainer.monitoring.habits import Activity, count, unusual
from explainer.monitoring.page import FOLDER
from explainer.usecases.admit import ANONYMOUS
from explainer.usecases.alerting_entries import alert_of
from explainer.usecases.rooms import Rooms
from explainer.usecases.watched_ledger import SIGN_IN, SIGN_INS

log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
PAGE: Final = 1000
PAGES: Final = 20  # of one look, so that a long ledger does not keep alerts waiting
NEWS: Final = timedelta(hours=1)  # what is older is learned from, and not told any more
REFUSALS: Final = 20  # of sign-ins within one look's news
HEAD: Final = "ledger"  # as a name in the outbox's memory


class Lookout:
    """Looks around and has sent what it finds. Only one process of a service has one."""

    def __init__(
        self,
        rooms: Rooms,
        outbox: Outbox,
        channels: Sequence[Channel],
        out_of_service: Callable[[], Mapping[str, str]],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`out_of_service` returns the reason for each version that is out of service; it may raise NotReady."""
        self._rooms, self._outbox, self._channels = rooms, outbox, channels
        self._out_of_service, self._clock = out_of_service, clock
        self._deaths: Counter[str] | None = None
        self._refused: list[datetime] = []

    def run(self, stop: threading.Event) -> None:
        """Look every ten seconds until `stop` is set; what fails is logged and looked at again."""
        while not stop.is_set():
            for step in (self.look_at_ledger, self.look_at_models, self.look_at_workers, self.send):
                try:
                    step()
                except ExplainerError as error:
                    log.warning("alerts: %s: %s", error.title, error.detail)
            stop.wait(EVERY_S)

    def send(self) -> None:
        send_due(self._outbox, self._channels)

    def look_at_ledger(self) -> None:
        """Entries since the last look: does each follow the one before, who was refused, who behaves otherwise."""
        before = self._known_head()
        if before is None:
            return
        for _ in range(PAGES):
            found = self._rooms.ledger.read(after=before.number, limit=PAGE)
            if not found:
                return
            gap = next((one for n, one in enumerate(found, before.number + 1) if one.number != n), None)
            if gap is not None:
                detail = f"Before entry {gap.number} one is missing: run `explainer ledger verify`."
                self.raise_alert("ledger-gap", "ledger", detail)
            before = Head(found[-1].number, found[-1].seal)
            self._learn(found, before)

    def look_at_models(self) -> None:
        for version, reason in self._out_of_service().items():
            self.raise_alert("out-of-service", version, reason)

    def look_at_workers(self) -> None:
        """Workers that ended unasked since the last look, by model."""
        now: Counter[str] = Counter()
        folder = self._rooms.settings.var / FOLDER
        for key, values in combined(tallies(folder), frozenset(), frozenset()).items():
            if key[0] == DEATHS.name:
                now[key[1]] += int(values[0])
        before, self._deaths = self._deaths, now
        if before is None:
            return
        for model, deaths in now.items():
            if (new := deaths - before[model]) > 0:
                self.raise_alert("worker-deaths", model, f"{new} of its processes ended unasked.")

    def raise_alert(self, kind: str, subject: str, detail: str) -> None:
        """For what other rooms find as well, such as drift."""
        if self._outbox.raise_alert(Alert(kind, subject, detail), [channel.name for channel in self._channels]):
            log.warning("alert: %s: %s: %s", kind, subject, detail)

    def _known_head(self) -> Head | None:
        """Where reading ended; None if the ledger says something else there: that is told, and its end remembered."""
        with self._outbox.file.reading() as connection:
            row = connection.execute("SELECT value FROM remembered WHERE name = ?", (HEAD,)).fetchone()
        if row is None:
            return Head(0, GENESIS.hex())
        number, _, sealed = str(row[0]).partition(" ")
        head = Head(int(number), sealed)
        same = self._rooms.ledger.read(after=head.number - 1, limit=1)
        if same and (same[0].number, same[0].seal) == (head.number, head.seal):
            return head
        detail = f"Entry {head.number} is gone or is not what it was: run `explainer ledger verify`."
        self.raise_alert("ledger-gap", "ledger", detail)
        self._learn([], self._rooms.ledger.head())
        return None

    def _learn(self, entries: Sequence[Recorded], upto: Head) -> None:
        """Count the entries, and remember where they end, in one transaction; then judge what is news."""
        since = self._clock() - NEWS
        times = [(one, datetime.fromisoformat(one.at)) for one in entries]
        seen = Counter(Activity.at(e.entry.principal, at) for e, at in times if e.entry.principal != ANONYMOUS.id)
        news = {Activity.at(one.entry.principal, at) for one, at in times if at > since} & seen.keys()

        def keep(connection: sqlite3.Connection) -> list[Alert]:
            connection.execute("REPLACE INTO remembered VALUES (?, ?)", (HEAD, f"{upto.number} {upto.seal}"))
            count(connection, seen)
            return [alert for activity in sorted(news) for alert in unusual(connection, activity)]

        told = [alert for one, at in times if at > since and (alert := alert_of(one.entry)) is not None]
        for alert in (*self._outbox.file.write(keep), *told):
            self.raise_alert(alert.kind, alert.subject, alert.detail)
        self._look_at_sign_ins([at for one, at in times if at > since and _refused_sign_in(one)], since)

    def _look_at_sign_ins(self, refused: Sequence[datetime], since: datetime) -> None:
        self._refused = [at for at in (*self._refused, *refused) if at > since]
        if len(self._refused) >= REFUSALS:
            self.raise_alert("lock-outs", "sign-in", f"{len(self._refused)} sign-ins were refused within an hour.")


def _refused_sign_in(one: Recorded) -> bool:
    return one.entry.event.partition(":")[2] == SIGN_IN and SIGN_INS.get(one.entry.outcome, "admitted") != "admitted"
