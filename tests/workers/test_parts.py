"""Answers are taken apart and put together without loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.workers.frames import Frame, FrameError
from explainer.workers.parts import join, split


def answer(counts: list[int]) -> Frame:
    total = sum(counts)
    arrays = {"scalars": np.arange(3.0 * total).reshape(total, 3), "values": np.arange(2.0 * total).reshape(total, 2)}
    return Frame("explanations", {"counts": counts, "rest": [f"said {i}" for i in range(total)]}, arrays)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=12))
def test_what_is_taken_apart_comes_together_again(counts: list[int]) -> None:
    """Splitting by rows and joining gives the same bodies and the same numbers."""
    whole = answer(counts)
    parts = split(whole, len(counts))
    assert [part.body["counts"] for part in parts] == ([counts] if len(counts) == 1 else [[n] for n in counts])
    again = join(parts)
    assert (again.kind, again.body) == (whole.kind, whole.body)
    assert all(np.array_equal(again.arrays[name], whole.arrays[name]) for name in whole.arrays)


def test_predictions_have_a_line_for_each_row() -> None:
    """An answer without a body is split by its lines alone."""
    whole = Frame("predictions", None, {"predictions": np.arange(6.0).reshape(3, 2)})
    assert [part.arrays["predictions"].tolist() for part in split(whole, 3)] == [[[0, 1]], [[2, 3]], [[4, 5]]]


@pytest.mark.parametrize(
    "wrong",
    [
        Frame("predictions", None, {"predictions": np.zeros((4, 2))}),
        Frame("predictions", None, {"predictions": np.float64(1).reshape(())}),
        Frame("explanations", {"counts": [1, 1], "rest": ["a", "b"]}, {}),
        Frame("explanations", {"counts": [1, 1, 1], "rest": ["a", "b"]}, {}),
        Frame("explanations", {"counts": [1, -1, 2], "rest": ["a", "b"]}, {}),
        Frame("explanations", {"counts": "three", "rest": []}, {}),
        Frame("explanations", ["no", "object"], {}),
    ],
)
def test_an_answer_about_other_rows_is_none(wrong: Frame) -> None:
    """What does not have a line for each of three rows is refused."""
    with pytest.raises(FrameError):
        split(wrong, 3)


def test_parts_of_different_questions_do_not_join() -> None:
    """Another kind, other arrays or another width is refused."""
    first = Frame("predictions", None, {"predictions": np.zeros((1, 2))})
    others = [
        Frame("explanations", None, {"predictions": np.zeros((1, 2))}),
        Frame("predictions", None, {"others": np.zeros((1, 2))}),
        Frame("predictions", None, {"predictions": np.zeros((1, 3))}),
    ]
    for other in others:
        with pytest.raises(FrameError):
            join([first, other])
