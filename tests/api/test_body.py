"""Reading JSON strictly."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from explainer.api.body import StrictRequest, parse
from explainer.errors import MalformedRequest, UnsupportedMedia

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(10**39), 10**39) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def depth(value: Any) -> int:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (1 if isinstance(value, dict | list) else 0) + max(map(depth, below), default=0)


def same(a: Any, b: Any) -> bool:
    """Equal, and of the same types and signs all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return math.copysign(1, a) == math.copysign(1, b) and a == b
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(x, b[k]) for k, x in a.items())
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, list) else bool(a == b)


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_every_json_value_comes_through_unchanged(value: Any, indent: int | None, ascii_only: bool) -> None:
    """What can be written as JSON in UTF-8 is read as what it was: types, order of keys, every bit of a number."""
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert same(parse(data, 100), value)


@given(VALUES)
def test_the_limit_of_depth_is_exact(value: Any) -> None:
    """A document as deep as is allowed is read; one level less and it is refused."""
    data, deep = json.dumps(value).encode(), depth(value)
    assert same(parse(data, max(1, deep)), value)
    if deep > 1:
        with pytest.raises(MalformedRequest, match="at most"):
            parse(data, deep - 1)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Whatever is sent, the outcome is a value that can be written as strict JSON, or MalformedRequest."""
    try:
        value = parse(data, 32)
    except MalformedRequest:
        return
    json.dumps(value, allow_nan=False).encode()


@given(st.text(alphabet='[]{}":,0123456789.-+eE \\ud8NaInfityt', max_size=40))
def test_text_that_is_almost_json_is_read_or_refused(text: str) -> None:
    """The same for what is made of JSON's own signs."""
    try:
        value = parse(text.encode(), 32)
    except MalformedRequest:
        return
    assert json.dumps(value, allow_nan=False) == json.dumps(json.loads(text), allow_nan=False)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"{", "line 1, column 2"),
        (b"[1,]", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[1] [2]", "not JSON"),
        (b"[01]", "not JSON"),
        (b'"\x01"', "not JSON"),
        (b"[NaN]", "holds NaN"),
        (b"[Infinity]", "holds Infinity"),
        (b"[-Infinity]", "holds -Infinity"),
        (b"[1e999]", "1e999, which is beyond"),
        (b"[-1e999]", "beyond the largest"),
        (b"[" + b"9" * 400 + b".0]", "beyond the largest"),
        (b"[" + b"9" * 41 + b"]", "41 digits"),
        (b"[" + b"9" * 5000 + b"]", "5000 digits"),
        (b'{"a": 1, "a": 2}', "names 'a' twice"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "names 'a' twice"),
        (b"\xff\xfe[\x001\x00]\x00", "not UTF-8: byte 0"),
        (b'["\xc3"]', "not UTF-8: byte 2"),
        (b'["\xed\xa0\x80"]', "not UTF-8"),
        (b'["\\ud800"]', "half a surrogate pair"),
        (b'{"\\udfff": 1}', "half a surrogate pair"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 40 + b"]" * 40, "at most 32 levels"),
        (b"[" * 100_000, "at most 32 levels"),
        (b'{"a":' * 100_000, "at most 32 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "at most 32 levels"),
    ],
)
def test_hostile_bodies_are_refused_with_the_reason(data: bytes, why: str) -> None:
    """Each kind of flaw is named, with its place where it has one."""
    with pytest.raises(MalformedRequest, match=why):
        parse(data, 32)


def test_a_pair_of_surrogates_is_one_character() -> None:
    """Escaped characters beyond the first plane are text, not halves."""
    assert parse(b'["\\ud83d\\ude00"]', 32) == ["\N{GRINNING FACE}"]


def test_a_wide_body_is_not_a_deep_one() -> None:
    """Many rows side by side do not count as nesting, nor do brackets inside text."""
    assert len(parse(b"[" + b",".join([b"{}"] * 1000) + b"]", 2)) == 1000
    assert parse(b'["' + b"[" * 1000 + b'"]', 1) == ["[" * 1000]


def test_refusals_repeat_little_of_the_body() -> None:
    """A long number or key does not come back at full length."""
    for data in (b"[1" + b"0" * 9000 + b".5]", b'{"' + b"k" * 9000 + b'": 1, "' + b"k" * 9000 + b'": 2}'):
        with pytest.raises(MalformedRequest) as caught:
            parse(data, 32)
        assert len(caught.value.detail) < 400


def ask(data: bytes, content_type: str | None) -> Any:
    app = Flask("test")
    app.request_class = StrictRequest
    app.config["MAX_JSON_DEPTH"] = 32
    with app.test_request_context("/", method="POST", data=data, content_type=content_type) as context:
        return context.request.get_json(silent=True), context.request.get_json()


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_the_request_reads_json_once(kind: str) -> None:
    """`get_json` gives the strictly read body, however often it is asked, and `silent` hides nothing."""
    first, second = ask(b'{"a": [1]}', kind)
    assert first == {"a": [1]}
    assert second is first
    with pytest.raises(MalformedRequest):
        ask(b"{", kind)


@pytest.mark.parametrize("kind", [None, "text/plain", "text/json", "application/x-www-form-urlencoded"])
def test_other_kinds_of_body_are_refused(kind: str | None) -> None:
    """Only application/json is read: a form that another site sends never counts as JSON."""
    with pytest.raises(UnsupportedMedia, match="application/json"):
        ask(b"{}", kind)


def test_a_body_of_thousands_of_settings_is_refused_before_each_is_looked_at() -> None:
    """No request has so many: one sentence, not a finding for each."""
    wide = b"{" + b",".join(b'"k%d": 1' % i for i in range(100_000)) + b"}"
    with pytest.raises(MalformedRequest, match="100000 settings"):
        ask(wide, "application/json")
