"""The rows that pages about a model are made from, its background's or its samples', and their explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from explainer.errors import InvalidOption
from explainer.records import ExplainOptions, Explanation, FloatArray, ModelVersion
from explainer.registry.rows import code_rows
from explainer.usecases.answering import answer_rows
from explainer.usecases.guarding import charged, spent
from explainer.usecases.options import check_options
from explainer.usecases.recording import Note
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

Source = Literal["background", "samples"]
SOURCES: Final[tuple[Source, ...]] = ("background", "samples")
MOST: Final = 200  # rows of one page; of a longer background every n-th is taken
FEWEST: Final = 20  # rows of a background whose summary may be shown: that of fewer is close to single rows
GROUP: Final = 5  # rows of a background that share a value, or a band of values, before these are told apart


@dataclass(frozen=True, slots=True)
class Taken:
    """Coded rows (rows, features), and how many there are of which these were taken."""

    source: Source
    rows: FloatArray
    there: int


def taken(rooms: Rooms, version: ModelVersion, source: str) -> Taken:
    """At most MOST rows, evenly spaced. Raises InvalidOption for another source, or where there are too few rows."""
    if source == "samples":
        samples = rooms.registry.samples(version)
        if not samples:
            raise InvalidOption("rows: this version comes without samples; choose its background.")
        rows = code_rows(version.manifest.features, samples)
    elif source == "background":
        rows = rooms.registry.background(version)
        if len(rows) < FEWEST:
            raise InvalidOption(
                f"rows: the background has {len(rows)} rows. A summary of fewer than {FEWEST} would be close to "
                "single rows, which stay here; choose the samples."
            )
    else:
        raise InvalidOption(f"rows: choose one of: {', '.join(SOURCES)}.")
    if len(rows) <= MOST:
        return Taken(source, rows, len(rows))  # type: ignore[arg-type]
    at = np.linspace(0, len(rows) - 1, MOST).round().astype(int)
    return Taken(source, rows[at], len(rows))  # type: ignore[arg-type]


def explained_rows(
    rooms: Rooms, serving: Served, caller: Caller, version: ModelVersion, given: Taken, options: ExplainOptions
) -> tuple[list[Explanation], Note]:
    """One explanation of each row, by way of the cache; the budget is charged. Facts come back for the entry.

    Samples are shown with their numbers, so the extraction meter hears them; of the background only sums are shown.
    """
    report = serving.opened(version)
    check_options(options, version.manifest, report)
    charged(rooms, caller, version, given.rows, options)
    answers = answer_rows(rooms, version, report, given.rows, options, caller.asking())
    found = [a.explanations for a in answers]
    if given.source == "samples":
        rooms.extraction.explained(caller.principal, version, given.rows, found)
    note = Note({"hits": sum(a.hit for a in answers)})
    spent(rooms, caller, version, (a.explanations for a in answers if not a.hit), note)
    return [row[0] for row in found], note
