"""Brings the demo's made-up applications in as decisions, once, so that there is something to review."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from explainer.cli.rooms import Desk
from explainer.errors import ExplainerError
from explainer.registry.tables import read_table
from explainer.reviews.wanted import Wanted
from explainer.usecases.decisions import DecisionAsk, bring

MODELS = ("credit-gbm", "credit-xgb")
FIRST = ("Anna", "Bert", "Carla", "David", "Elif", "Frank", "Greta", "Hassan", "Ines", "Jonas", "Katja", "Luca", "Mira")
LAST = ("Schmidt", "Yilmaz", "Weber", "Kowalski", "Braun", "Rossi", "Fischer", "Novak", "Becker", "Haddad", "Vogel")
NUMBER = 1042  # of the first application
LONGEST_DUE = 30  # days


def applicants(count: int, start: int = 0) -> list[str]:
    """Made-up names with numbers, each there once."""
    return [
        f"{FIRST[i % len(FIRST)]} {LAST[(i * 3 + i // len(FIRST)) % len(LAST)]}, A-{NUMBER + i}"
        for i in range(start, start + count)
    ]


def bring_decisions(at: Desk, folder: Path) -> int:
    """Bring the samples of the credit models in, unless there are decisions already; returns how many."""
    if at.rooms.reviews.count(Wanted(show="all")):
        return 0
    done = 0
    for model in MODELS:
        source = folder / model / "samples.csv"
        if model not in at.rooms.registry.names() or not source.exists():
            continue
        features = at.rooms.registry.get(model).manifest.features
        with source.open(encoding="utf-8", newline="") as file:
            names = applicants(sum(1 for _ in csv.reader(file)), done)
        for i, line in enumerate(read_table(source, features)):
            due = 1 + (7 * (done + i)) % LONGEST_DUE
            ask = DecisionAsk(model, line.row, external_id=names[i], subject=names[i], due_days=due)
            try:
                bring(at.rooms, at.serving, at.caller(), ask)
            except ExplainerError as error:
                print(f"  {names[i]} was not brought in: {error.detail}", file=sys.stderr, flush=True)
        done += i + 1
    return done
