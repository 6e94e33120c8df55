"""What would change the outcome: every promise of an answer, held against a count of all that is possible."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.records import Feature, FloatArray
from explainer.reviews.counterfactuals import Answer, Found, Limits, search
from explainer.reviews.ground import Ground
from explainer.reviews.moves import moves_of
from tests.reviews.test_moves import check_rules
from tests.reviews.worlds import World, far, nearest, usual, world

CLOSE = 1e-7


def found_in(w: World, **limits: int) -> Found:
    return search(w.row, w.features, w.background, w.predict, w.crossed, Limits(**limits))


def leads(w: World, row: FloatArray, allowed: float) -> bool:
    """Whether a changed row has the other outcome and is plausible."""
    return bool(w.crossed(w.predict(row[None]))[0]) and nearest(w, row) <= allowed + CLOSE


def every_row(w: World, changes: int) -> list[FloatArray]:
    """All rows with so many allowed changes."""
    moves = moves_of(w.row, w.features, Ground.of(w.features, w.background))
    by_feature = {int(f): moves.value[moves.feature == f].tolist() for f in np.unique(moves.feature)}
    rows = []
    for chosen in combinations(by_feature, changes):
        for values in product(*(by_feature[f] for f in chosen)):
            row = w.row.copy()
            row[list(chosen)] = values
            rows.append(row)
    return rows


def check_answer(w: World, answer: Answer, allowed: float) -> None:
    """It crosses the threshold, keeps every rule, tells the truth, and is as near the background as it says."""
    row, differs = answer.row, ~((answer.row == w.row) | (np.isnan(answer.row) & np.isnan(w.row)))
    assert leads(w, row, allowed)
    assert answer.score == w.predict(row[None])[0]
    assert [c.feature for c in answer.changes] == [w.features[i].name for i in np.flatnonzero(differs)]
    for i in np.flatnonzero(differs):
        check_rules(w.features[i], float(w.row[i]), float(row[i]), w.background[:, i])
    assert answer.distance == pytest.approx(far(w, w.row, row))
    assert answer.distance == pytest.approx(answer.parts.mean())
    assert sum(c.share for c in answer.changes) == pytest.approx(1.0)
    assert answer.near == pytest.approx(nearest(w, row))
    assert answer.usual == pytest.approx(usual(w))


def check_minimal(w: World, answer: Answer, allowed: float) -> None:
    """No change can be undone, and no number can be nearer to its own value on its grid."""
    moves = moves_of(w.row, w.features, Ground.of(w.features, w.background))
    for i in np.flatnonzero(answer.parts):
        feature, own, there = w.features[i], float(w.row[i]), float(answer.row[i])
        nearer = [own]
        if feature.type in ("number", "integer") and not np.isnan(own):
            low, high = sorted((own, there))
            nearer += [v for v in moves.value[moves.feature == i].tolist() if low < v < high]
        for value in nearer:
            row = answer.row.copy()
            row[i] = value
            assert not leads(w, row, allowed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_against_a_count_of_everything(seed: int) -> None:
    """On small grids an answer of one or two changes is found exactly if there is one, and the first is the nearest."""
    w = world(seed, features=4, rows=14)
    if w.already:
        return
    found = found_in(w, most_changes=2, most_evaluations=4000)
    allowed = max(usual(w), nearest(w, w.row))
    for changes in (1, 2):
        right = [row for row in every_row(w, changes) if leads(w, row, allowed)]
        if right:
            assert len(found.answers[0].changes) == changes
            assert found.answers[0].distance == pytest.approx(min(far(w, w.row, row) for row in right))
            break
    else:
        assert found.answers == ()
        assert found.told.startswith(("No allowed and plausible change", "No value of this row may change"))
    assert found.exhaustive == (True, True) or len(found.answers) >= 3
    for answer in found.answers:
        check_answer(w, answer, allowed)
        check_minimal(w, answer, allowed)
        assert answer.minimal


@settings(max_examples=16, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([60, 400, 3000]))
def test_promises_hold_where_not_everything_is_tried(seed: int, most: int) -> None:
    """On wide grids every answer keeps every rule, what is called minimal is, and no limit is exceeded."""
    w = world(seed, features=8, rows=20, wide=True)
    if w.already:
        return
    found = found_in(w, most_evaluations=most)
    assert found.evaluations <= most
    assert len(found.answers) <= 3
    allowed = max(usual(w), nearest(w, w.row))
    for answer in found.answers:
        assert len(answer.changes) <= 3
        check_answer(w, answer, allowed)
        if answer.minimal:
            check_minimal(w, answer, allowed)
    named = [{c.feature for c in a.changes} for a in found.answers]
    assert not any(one <= other for i, one in enumerate(named) for j, other in enumerate(named) if i != j)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_same_question_has_the_same_answer(seed: int) -> None:
    """Twice the same search finds the same, by way of the background itself or made ready before."""
    w = world(seed, features=7, rows=20, wide=True)
    first = found_in(w)
    again = search(w.row, w.features, Ground.of(w.features, w.background), w.predict, w.crossed)
    assert (first.told, first.evaluations) == (again.told, again.evaluations)
    assert [a.changes for a in first.answers] == [a.changes for a in again.answers]


def steps(count: int, **keys: object) -> tuple[Feature, ...]:
    return tuple(Feature(f"f{i}", "integer", **keys) for i in range(count))  # type: ignore[arg-type]


GRID = np.random.default_rng(0).integers(0, 10, (80, 4)).astype(np.float64)


def test_numbers_are_pulled_back() -> None:
    """Of a sum that has to reach 12 from 0, the answer reaches exactly 12, not more."""
    found = search(np.zeros(4), steps(4), GRID, lambda rows: rows.sum(axis=1), lambda s: s >= 12)
    assert [a.score for a in found.answers] == [12.0] * len(found.answers)
    assert len(found.answers) == 3


def test_what_only_three_changes_do() -> None:
    """Where all of three values have to change, three are found, though no single change gains anything."""
    background = np.array(list(product([0.0, 1.0], repeat=6)))
    features = tuple(Feature(f"f{i}", "boolean") for i in range(6))
    found = search(np.zeros(6), features, background, lambda r: r[:, 1] * r[:, 3] * r[:, 4], lambda s: s > 0.5)
    assert [[c.feature for c in a.changes] for a in found.answers] == [["f1", "f3", "f4"]]
    assert [t.possible for t in found.tried] == [6, 15, 20]


def test_nothing_found_is_said() -> None:
    """A model that never changes its mind has no answer; the sentence says what was looked at, all or a part."""
    few = search(np.zeros(4), steps(4, max=2.0), GRID, lambda rows: rows[:, 0] * 0, lambda s: s > 0.5)
    assert few.answers == ()
    assert few.exhaustive == (True, True)
    assert few.told.startswith(
        "No allowed and plausible change of up to three values was found that leads to the other outcome. "
        "Looked at: all 8 single changes; all 24 combinations of two changes"
    )
    assert "There may be one" not in few.told
    many = search(
        np.zeros(4), steps(4), GRID, lambda rows: rows[:, 0] * 0, lambda s: s > 0.5, Limits(most_evaluations=90)
    )
    assert many.exhaustive == (True, False)
    assert many.told.endswith("There may be one among those that were not looked at.")


def test_nothing_may_change() -> None:
    """A row whose features are all immutable has no answer, and the reason is told."""
    found = search(np.zeros(4), steps(4, mutable=False), GRID, lambda rows: rows[:, 0], lambda s: s > 0.5)
    assert (found.answers, found.evaluations, found.fixed) == ((), 1, ("f0", "f1", "f2", "f3"))
    assert found.told == "No value of this row may change, so nothing was tried."


def test_the_outcome_is_the_other_one_already() -> None:
    """Of a row that has the other outcome nothing more is asked."""
    found = search(np.ones(4), steps(4), GRID, lambda rows: rows[:, 0], lambda s: s > 0.5)
    assert (found.answers, found.score) == ((), 1.0)
    assert found.told.startswith("The row as it stands leads to the other outcome already")


def test_what_is_unlike_the_background_is_no_answer() -> None:
    """Two numbers that always go together are not torn apart, though one of them alone would do."""
    together = np.column_stack([np.arange(40.0)] * 2 + [np.zeros(40)] * 2)
    row = np.array([5.0, 5.0, 0.0, 0.0])
    found = search(row, steps(4), together, lambda rows: rows[:, 0], lambda s: s >= 30)
    assert [[c.feature for c in a.changes] for a in found.answers] == [["f0", "f1"]]
    assert all(a.near <= a.usual + CLOSE for a in found.answers)


@pytest.mark.parametrize(
    "limits", [Limits(most_changes=0), Limits(most_changes=6), Limits(most_answers=0), Limits(most_evaluations=1)]
)
def test_impossible_limits(limits: Limits) -> None:
    """Limits under which no search is possible are refused."""
    with pytest.raises(ValueError, match="are the least"):
        search(np.zeros(4), steps(4), GRID, lambda rows: rows[:, 0], lambda s: s > 0.5, limits)


@pytest.mark.parametrize("always", [True, False])
def test_no_threshold(always: bool) -> None:
    """What says the same of every score is no threshold."""
    with pytest.raises(ValueError, match="one side of a threshold"):
        search(np.zeros(4), steps(4), GRID, lambda rows: rows[:, 0], lambda s: np.full(len(s), always))
