"""Records become JSON values and the same records again; anything else is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.records import ExplainOptions, LimeReport, Manifest
from explainer.workers.plain import PlainError, from_plain, to_plain
from tests.workers.fakes import order_of


@dataclass(frozen=True)
class Inner:
    kind: Literal["a", "b"]
    path: Path


@dataclass(frozen=True)
class Outer:
    number: float
    maybe: int | None
    items: tuple[Inner, ...]
    pair: tuple[str, float]
    table: dict[str, int]
    data: bytes
    flag: bool = False


FLOATS = st.floats()
OUTER = st.builds(
    Outer,
    number=FLOATS,
    maybe=st.none() | st.integers(-(2**63), 2**63 - 1),
    items=st.lists(st.builds(Inner, kind=st.sampled_from("ab"), path=st.just(Path("/x/y"))), max_size=3).map(tuple),
    pair=st.tuples(st.text(), FLOATS),
    table=st.dictionaries(st.text(), st.integers(-5, 5), max_size=3),
    data=st.binary(max_size=9),
    flag=st.booleans(),
)


def same(a: object, b: object) -> bool:
    return repr(a) == repr(b)


@given(OUTER)
def test_records_come_back(record: Outer) -> None:
    """Any record of known types survives JSON, floats to the bit of every finite one and NaN as NaN."""
    assert same(from_plain(Outer, orjson.loads(orjson.dumps(to_plain(record)))), record)


def test_manifests_come_back() -> None:
    """The largest record of the house survives JSON."""
    manifest = order_of().manifest
    assert from_plain(Manifest, orjson.loads(orjson.dumps(to_plain(manifest)))) == manifest


def test_numbers_that_json_lacks_come_back() -> None:
    """Infinity and NaN travel as text and do not turn into null."""
    report = LimeReport(math.inf, -math.inf, 3, math.nan, (("x", -0.0),))
    assert same(from_plain(LimeReport, orjson.loads(orjson.dumps(to_plain(report)))), report)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (int, True),
        (int, 1.0),
        (int, "1"),
        (bool, 1),
        (str, 1),
        (float, "1"),
        (float, None),
        (float, True),
        (Path, 1),
        (Inner, []),
        (Inner, {"kind": "a"}),
        (Inner, {"kind": "c", "path": "/"}),
        (Inner, {"kind": ["a"], "path": "/"}),
        (Inner, {"kind": "a", "path": "/", "more": 1}),
        (tuple[str, ...], "abc"),
        (tuple[str, float], ["a"]),
        (dict[str, int], [1]),
        (int | None, "x"),
        (ExplainOptions, {"method": "auto"}),
    ],
)
def test_other_forms_are_refused(kind: object, plain: object) -> None:
    """A value of another type, a missing or an additional field raises PlainError."""
    with pytest.raises(PlainError):
        from_plain(kind, plain)


def test_other_values_are_not_taken() -> None:
    """What a record cannot hold is refused, never written as its repr."""
    with pytest.raises(TypeError, match="object"):
        to_plain(object())
