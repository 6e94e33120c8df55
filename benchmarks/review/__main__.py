"""`python -m benchmarks review`: pages of the queue among 100,000 decisions, a case, and what is asked about a case."""

from __future__ import annotations

import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from flask.testing import FlaskClient

from explainer.access.sessions import Origin
from explainer.app import create_app
from explainer.cli.rooms import Desk, desk
from explainer.records import LedgerEntry, Principal
from explainer.reviews.decision import Case, Flag
from explainer.reviews.store import new_id
from explainer.settings import SESSION_COOKIE, Settings
from explainer.usecases.decisions import DecisionAsk, bring
from explainer.usecases.register import register
from explainer.usecases.rooms import Caller

MODEL, DECISIONS, BATCH = "credit-gbm", 100_000, 2_000
ASKED = ("what would change the outcome", "similar cases, 2,000 looked through")  # on a button, without an aim
ROUNDS, AIM_MS, WHAT_IF_MS = 9, 300, 200
SHARES = {Flag.PROTECTED: 0.3, Flag.FOREIGN: 0.02, Flag.UNSTABLE: 0.01, Flag.NEAR_THRESHOLD: 0.1}
SHARES |= {Flag.UNMAPPED: 0.0001, Flag.DISAGREE: 0.2, Flag.ORDER_UNCERTAIN: 0.05, Flag.SAMPLE: 0.02}
PAGES = {
    "the queue as it opens": "/decisions",
    "due first": "/decisions?sort=due",
    "nearest to the threshold": "/decisions?sort=margin",
    "newest": "/decisions?sort=newest",
    "a common flag": "/decisions?flag=protected",
    "a rare flag": "/decisions?flag=unmapped",
    "a flag, adverse, one model": f"/decisions?flag=disagree&adverse=yes&model={MODEL}",
    "nobody's": "/decisions?assignee=-",
    "mine, which are none": "/decisions?assignee=me",
    "overdue": "/decisions?overdue=1&sort=due",
    "everything, most in need first": "/decisions?show=all",
    "everything, newest": "/decisions?show=all&sort=newest",
    "page 1,000": "/decisions?page=1000",
    "by external id in any model": "/decisions?external=A-77777",
}


def fill(at: Desk, case: Case) -> None:
    """Copies of one decision with facts of their own, in batches inside one transaction each."""
    chooser, now = random.Random(20261124), datetime.now(UTC)
    known = case.particulars
    assert known is not None
    for first in range(0, DECISIONS, BATCH):
        jobs = []
        for i in range(first, first + BATCH):
            flags = Flag(0)
            for flag, share in SHARES.items():
                flags |= flag if chooser.random() < share else Flag(0)
            score = chooser.random()
            facts = replace(
                case.facts,
                id=new_id(),
                score=score,
                adverse=score >= case.facts.threshold,
                flags=flags,
                blind=False,
                due_at=(now + timedelta(days=chooser.uniform(-5, 40))).isoformat(timespec="seconds"),
            )
            jobs.append(at.rooms.reviews.creation(facts, replace(known, external_id=f"A-{i}", subject="")))
        at.rooms.ledger.append(LedgerEntry("cli:decision:fill", "local", "answered", uuid4().hex, {}), jobs)


def timed(ask: Callable[[], int]) -> tuple[float, float]:
    """Median and longest in ms, after one that is not counted."""
    assert ask() == 200
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        assert ask() == 200
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken), max(taken)


def browser(at: Desk) -> tuple[FlaskClient, str]:
    person = at.rooms.access.people.add("berta", "correct horse battery", "reviewer")
    session = at.rooms.access.door.begin(person, Origin("127.0.0.1"), proven=True)
    client = create_app(at.rooms, at.serving).test_client()
    client.set_cookie(SESSION_COOKIE, session)
    return client, at.rooms.access.csrf_token(session)


@contextmanager
def furnished(folder: Path) -> Iterator[tuple[Desk, Case]]:
    """Rooms with one demo model and one decision that really came in."""
    models = folder / "models"
    subprocess.run([sys.executable, "-m", "explainer.demo.build", str(models)], check=True, capture_output=True)
    settings = Settings(var=folder / "var", registry=folder / "var" / "registry")
    with desk(settings, workers=True) as at:
        version = register(at.rooms, at.caller(), models / MODEL)
        who = Caller(Principal("key_benchmark", "key", "application"), uuid4().hex, "api")
        row = at.rooms.registry.samples(version)[0]
        yield at, bring(at.rooms, at.serving, who, DecisionAsk(MODEL, row, external_id="real", blind=False))[0]


def cases(client: FlaskClient, token: str, case: Case) -> dict[str, Callable[[], int]]:
    """The page of a case, and the answers that its script asks for."""
    address, part = f"/decisions/{case.facts.id}", {"X-Fragment": "1"}
    months = iter(range(6, 72))

    def tried() -> int:
        form = {"token": token, "row-duration_months": str(next(months))}
        return client.post(f"{address}/what-if", data=form, headers=part).status_code

    def asked(name: str) -> Callable[[], int]:
        return lambda: client.post(f"{address}/{name}", data={"token": token}, headers=part).status_code

    return {
        "a case, explained before": lambda: client.get(address).status_code,
        "the next case": lambda: client.get("/decisions/next?at=3", follow_redirects=True).status_code,
        "what-if, another value each time": tried,
        ASKED[0]: asked("changes"),
        ASKED[1]: asked("similar"),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name, furnished(Path(name)) as (at, case):
        begun = time.perf_counter()
        fill(at, case)
        size = sum(f.stat().st_size for f in (Path(name) / "var").glob("ledger.db*"))
        say(f"{DECISIONS:,} decisions written in {time.perf_counter() - begun:.0f} s; {size / 1e6:.0f} MB\n")
        client, token = browser(at)
        say(f"{'in the server, ms':38s} median   longest of {ROUNDS}")
        slow = []
        asks = {what: lambda path=path: client.get(path).status_code for what, path in PAGES.items()}
        for what, ask in (asks | cases(client, token, case)).items():
            median, longest = timed(ask)
            say(f"{what:38s} {median:6.0f}   {longest:6.0f}")
            aim = WHAT_IF_MS if what.startswith("what-if") else AIM_MS
            slow += [what] if median > aim and what not in ASKED else []
        text = client.get("/decisions").text
        assert len(re.findall(r'class="open"', text)) == 50
        say(
            f"\naims: pages {AIM_MS} ms, what-if {WHAT_IF_MS} ms: "
            + (f"missed by {', '.join(slow)}" if slow else "reached")
        )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
