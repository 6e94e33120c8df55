"""Proves how times are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.access.clock import read, utc_now, written

moments = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]), min_value=datetime(1000, 1, 2)
)


@given(moments, moments)
def test_texts_sort_as_times_do_and_read_back(a: datetime, b: datetime) -> None:
    """Comparing what is stored compares the times, whatever zone they came from."""
    assert (written(a) < written(b)) is (a < b)
    assert read(written(a)) == a


def test_a_time_without_a_zone_is_refused() -> None:
    """Nobody's local time is taken for UTC."""
    with pytest.raises(ValueError, match="zone"):
        written(datetime(2026, 1, 1))


def test_now_has_a_zone() -> None:
    """The clock's own time can be written."""
    assert written(utc_now()).endswith("+00:00")
