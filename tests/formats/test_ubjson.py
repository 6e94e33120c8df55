"""Binary JSON is read as XGBoost writes it, and never beyond its bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost

from explainer.formats import ubjson
from tests.formats import hostile, orders


def booster() -> xgboost.Booster:
    rows = orders.mixed_rows(100)
    data = xgboost.DMatrix(
        rows, label=orders.target(rows), feature_types=["q", "int", "c", "i", "q"], enable_categorical=True
    )
    return xgboost.train({"max_depth": 3}, data, 3)


def plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def test_a_model_in_ubj_is_the_same_document_as_in_json() -> None:
    """Both forms of one booster read alike, floats to float32."""
    model = booster()
    binary = plain(ubjson.load(bytes(model.save_raw("ubj"))))
    text = json.loads(bytes(model.save_raw("json")))
    assert json.dumps(_rounded(binary), sort_keys=True) == json.dumps(_rounded(text), sort_keys=True)


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return float(np.float32(value)) if isinstance(value, (int, float)) else value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b"{U\x01aT}", {"a": True}),
        (b"{i\x01a[$U#U\x03\x01\x02\x03}", {"a": [1, 2, 3]}),
        (b"{i\x01a[#U\x02FZ}", {"a": [False, None]}),
        (b"{i\x01a[SU\x01xl\xff\xff\xff\xfe]}", {"a": ["x", -2]}),
        (b"{i\x01aD\x3f\xf8\x00\x00\x00\x00\x00\x00}", {"a": 1.5}),
    ],
)
def test_each_form_of_value_is_read(data: bytes, value: object) -> None:
    """Objects, typed and untyped arrays, text, numbers and constants."""
    assert plain(ubjson.load(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{i\x01a",
        b"{i\x05a}",
        b"{i\xffa}",
        b"{i\x01aT}x",
        b"{i\x01aTi\x01aF}",
        b"{i\x01a[$U#L\x7f\xff\xff\xff\xff\xff\xff\xff}",
        b"{i\x01a[$S#U\x01}",
        b"{i\x01a[#L\x00\x00\x00\x00\xff\xff\xff\xffT}",
        b"{d\x00\x00\x00\x00}",
        b"{i\x01a?}",
        b"{i\x01\xffT}",
        b"[" * 1000,
    ],
)
def test_broken_bytes_raise_one_kind_of_error(data: bytes) -> None:
    """Truncation, false lengths, trailing bytes, doubled keys, unknown markers and depth are ValueErrors."""
    with pytest.raises(ValueError, match=r"."):
        ubjson.load(data)


def test_mutants_are_read_or_refused() -> None:
    """Five hundred mutants of a model raise nothing but ValueError."""
    refused = 0
    for data in hostile.mutants(bytes(booster().save_raw("ubj")), 500):
        try:
            ubjson.load(data)
        except ValueError:
            refused += 1
    assert refused > 100
