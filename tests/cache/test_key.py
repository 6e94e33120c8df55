"""Proves that the key holds all that an answer depends on, and nothing of who asks or what is shown."""

from __future__ import annotations

import dataclasses
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explainer.attribution.reference import brought
from explainer.cache.key import LEFT_OUT, canonical, digest
from explainer.records import ExplainOptions

ROW = np.array([1.0, 2.5, np.nan])
VERSIONS = {"tree": 1, "lime": 2}
OTHER = {
    "method": "lime",
    "output": "raw",
    "class_name": "good",
    "background": "average",
    "tolerance": 0.1,
    "max_evaluations": 10,
    "seed": 0,
    "separate": 3,
    "top": 3,
    "deadline_ms": 100,
}


def key(**changes: object) -> bytes:
    given = {"model": "m", "background": "b", "options": ExplainOptions(), "versions": VERSIONS, "row": ROW}
    return digest(*{**given, **changes}.values())  # type: ignore[arg-type]


def test_the_same_question_has_the_same_key_forever() -> None:
    """A stored answer is found again after a restart: the key is a fixed function, pinned here by its value."""
    assert key().hex() == "0f5032cdaa88ab24966118c352bc551fa630548fd9c989cd289985a63269adf4"
    assert key() == key(versions=dict(reversed(VERSIONS.items())))


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(ExplainOptions)])
def test_each_option_counts_unless_it_cannot_change_the_numbers(name: str) -> None:
    """Every option, one that is added later included, is part of the key; only `top` and the deadline are not."""
    changed = key(options=dataclasses.replace(ExplainOptions(), **{name: OTHER[name]}))
    assert (changed == key()) is (name in {"top", "deadline_ms"})
    assert {"top", "deadline_ms"} == LEFT_OUT


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"},
        {"background": "c"},
        {"versions": {"tree": 2, "lime": 2}},
        {"versions": {"tree": 1}},
        {"versions": {**VERSIONS, "kernel": 1}},
        {"versions": {**VERSIONS, "tree": "1"}},
        {"row": np.array([1.0, 2.5, 3.0])},
        {"row": np.array([1.0, np.nan, 2.5])},
        {"row": np.array([1.0, 2.5])},
        {"row": np.array([1.0, 2.5, np.nan, 0.0])},
        {"row": np.array([1.0 + 2**-52, 2.5, np.nan])},
        {"model": "mb", "background": ""},
        {"options": ExplainOptions(seed=1)},
        {"options": ExplainOptions(tolerance=1.0)},
        {"options": ExplainOptions(background=brought(np.array([[1.0, 2.5, np.nan]])))},
        {"options": ExplainOptions(background=brought(np.array([[1.0, 2.5, 3.0]])))},
    ],
)
def test_whatever_changes_the_answer_changes_the_key(change: dict[str, object]) -> None:
    """Model, background, method versions and every bit of the row count; text cannot flow from field to field."""
    assert key(**change) != key()


def test_rows_as_background_are_told_apart_by_their_digest() -> None:
    """Other rows have another key, the same rows in another order the same one; a name is never a digest."""
    cohort = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])
    given = [brought(cohort), brought(cohort[::-1]), brought(cohort[:1]), brought(cohort).digest]
    made = [key(options=ExplainOptions(background=background)) for background in given]
    assert made[0] == made[1]
    assert len(set(made)) == 3


def test_types_are_told_apart() -> None:
    """No two settings of different types share a key by looking alike."""
    seeds = [None, 0, 1, False, True, "0", "None"]
    made = {key(options=dataclasses.replace(ExplainOptions(), seed=s)) for s in seeds}  # type: ignore[arg-type]
    assert len(made) == len(seeds)


rows = arrays(np.float64, 4, elements=st.floats(width=64))


@given(rows, rows)
def test_rows_share_a_key_exactly_when_their_values_are_equal(a: np.ndarray, b: np.ndarray) -> None:
    """Equality of numbers decides (0.0 is -0.0, NaN is NaN), not the bits that happen to stand for them."""
    same = bool(np.array_equal(a, b, equal_nan=True))
    assert (key(row=a) == key(row=b)) is same


def test_all_nans_and_both_zeros_are_one_value() -> None:
    """A NaN with another payload or sign, and a negative zero, are the same missing value and the same zero."""
    odd_nan, negative_nan = struct.unpack("<2d", struct.pack("<2Q", 0x7FF8000000000123, 0xFFF8000000000000))
    assert key(row=np.array([0.0, odd_nan])) == key(row=np.array([-0.0, negative_nan]))


@given(arrays(np.float64, (3, 2), elements=st.floats()))
def test_canonical_rows_are_equal_to_the_rows_and_keep_the_original(rows: np.ndarray) -> None:
    """Only the representation changes; the caller's array is not touched."""
    before = rows.tobytes()
    assert np.array_equal(canonical(rows), rows, equal_nan=True)
    assert rows.tobytes() == before
    assert not np.signbit(canonical(rows)[canonical(rows) == 0]).any()


def test_the_layout_in_memory_does_not_matter() -> None:
    """A strided, big-endian or read-only row has the key of its values."""
    wide = np.zeros((3, 2))
    wide[:, 1] = ROW
    frozen = ROW.copy()
    frozen.flags.writeable = False
    assert {key(row=r) for r in (wide[:, 1], ROW.astype(">f8"), frozen)} == {key()}
