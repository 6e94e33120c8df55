"""What would change the outcome: few, plausible and allowed changes of one row, or the word that none was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.records import Feature, FloatArray
from explainer.reviews.distance import Value, plain
from explainer.reviews.ground import Ground, Nearness
from explainer.reviews.hunt import Hit, Hunt, Limits, Tried
from explainer.reviews.moves import moves_of
from explainer.reviews.oracle import Crossed, Oracle, Predict

__all__ = ["Answer", "Change", "Found", "Limits", "Tried", "search"]

MOST_CHANGES = 5
WORDS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that would be another; the values are those of JSON, `share` is that of the whole distance."""

    feature: str
    before: Value
    after: Value
    share: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Changes that together lead to the other outcome, and the score of the changed row.

    `distance` (0 to 1) is Gower's, of which `parts` (features,) are the mean. The nearest row of the background is
    `near` away from the changed row; `usual` is how near most rows of the background have one. `minimal`: with any
    one change undone, or any number nearer to its own value, the row keeps its outcome or is no longer plausible; False
    where the evaluations ended before that was sure.
    """

    changes: tuple[Change, ...]
    row: FloatArray
    score: float
    distance: float
    parts: FloatArray
    near: float
    usual: float
    minimal: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found and how much it looked at; `told` says it in words.

    `exhaustive` says of one and of two changes whether every allowed and plausible set was looked at. `fixed` names
    the features for which no other value is allowed.
    """

    answers: tuple[Answer, ...]
    score: float
    evaluations: int
    batches: int
    tried: tuple[Tried, ...]
    exhaustive: tuple[bool, bool]
    fixed: tuple[str, ...]
    told: str


def search(
    row: FloatArray,
    schema: Sequence[Feature],
    background: FloatArray | Ground,
    predict: Predict,
    crossed: Crossed,
    limits: Limits | None = None,
) -> Found:
    """Look for changes of a coded row (features,) after which `crossed` is true of its score.

    `predict` gives scores (n,) for coded rows (n, features); `crossed` is true on one side of a threshold, on which the
    row is not. Changes keep to the schema (mutable, min, max, step, changes, nullable), to values that the background
    shows, and to rows as near to the background as is usual there. Fewer changes come first, then the smaller
    distance. The same question has the same answer. Where one change, or two, were looked at exhaustively, no answer
    with fewer changes, or with as many and a smaller distance, exists on the grid than the first one.

    Method: single changes over a grid; sets of them all where they are few, otherwise those that should do if effects
    add up, and a beam of the best pairs for three changes; then each change is undone, pulled back or exchanged while
    the other outcome remains. What is looked for is that of Wachter, Mittelstadt and Russell 2017 (Harvard Journal of
    Law & Technology 31) with the diversity of Mothilal, Sharma and Tan 2020 (FAT* 2020).

    Raises ValueError for limits that are not possible, or a `crossed` that knows no threshold.
    """
    limits = limits or Limits()
    if not 1 <= limits.most_changes <= MOST_CHANGES or limits.most_answers < 1 or limits.most_evaluations < 2:
        raise ValueError(f"{limits}: 1 to {MOST_CHANGES} changes, an answer and two evaluations are the least.")
    ground = background if isinstance(background, Ground) else Ground.of(schema, background)
    moves = moves_of(row, schema, ground)
    oracle = Oracle(row, moves, Nearness(ground, row, moves.feature, moves.placed), predict, crossed)
    hunt = Hunt(oracle, limits)
    hunt.singles()
    for changes in range(2, limits.most_changes + 1):
        if not hunt.over:
            hunt.together(changes)
    answers = sorted((_answer(hit, oracle, ground, schema) for hit in hunt.hits), key=_order)
    return Found(
        answers=tuple(answers),
        score=hunt.own,
        evaluations=oracle.evaluations,
        batches=oracle.batches,
        tried=tuple(hunt.tried),
        exhaustive=_exhaustive(hunt.tried),
        fixed=tuple(schema[i].name for i in np.setdiff1d(np.arange(len(schema)), moves.feature)),
        told=_told(hunt, len(answers)),
    )


def _answer(hit: Hit, oracle: Oracle, ground: Ground, schema: Sequence[Feature]) -> Answer:
    moves, ids = oracle.moves, np.array([hit.moves])
    row = oracle.rows(ids)[0]
    parts = ground.gower.parts(oracle.row, row[None])[0]
    total = float(parts.sum())
    places = [int(moves.feature[m]) for m in hit.moves]
    return Answer(
        changes=tuple(
            Change(schema[i].name, plain(schema[i], oracle.row[i]), plain(schema[i], row[i]), float(parts[i]) / total)
            for i in places
        ),
        row=row,
        score=hit.score,
        distance=float(parts.mean()),
        parts=parts,
        near=float(oracle.near.of(ids)[0]),
        usual=ground.usual,
        minimal=hit.minimal,
    )


def _order(answer: Answer) -> tuple[int, float]:
    return len(answer.changes), answer.distance


def _exhaustive(tried: Sequence[Tried]) -> tuple[bool, bool]:
    whole = [t.whole for t in tried[:2]]
    return whole[0], len(whole) == 2 and whole[1]


def _told(hunt: Hunt, answers: int) -> str:
    if bool(hunt.oracle.crossed(np.array([hunt.own]))[0]):
        return "The row as it stands leads to the other outcome already: there is nothing to look for."
    if not len(hunt.oracle.moves):
        return "No value of this row may change, so nothing was tried."
    most = WORDS[hunt.limits.most_changes]
    looked = "; ".join(_looked(t) for t in hunt.tried)
    if answers:
        return f"{answers} {'way was' if answers == 1 else 'ways were'} found. Looked at: {looked}."
    last = "" if all(t.whole for t in hunt.tried) else " There may be one among those that were not looked at."
    return (
        f"No allowed and plausible change of up to {most} {'value' if most == 'one' else 'values'} was found that "
        f"leads to the other outcome. Looked at: {looked}.{last}"
    )


def _looked(tried: Tried) -> str:
    what = "single changes" if tried.changes == 1 else f"combinations of {WORDS[tried.changes]} changes"
    if not tried.whole:
        which = "evenly spread" if tried.changes == 1 else "the most promising"
        return f"{tried.evaluated:,} of {tried.possible:,} {what}, {which}"
    aside = tried.possible - tried.evaluated
    why = f" ({aside:,} of them are unlike the background, or hold an answer already)" if aside else ""
    return f"all {tried.possible:,} {what}{why}"
