"""A model's exception is told without the values of the rows that it was given."""

from __future__ import annotations

import numpy as np
import pytest

from explainer.workers.wording import HIDDEN, LONGEST, describe

ROWS = np.array([[35.0, 1169.5, np.nan], [22.0, 5951.0, 0.0001234567]])


@pytest.mark.parametrize(
    "message",
    [
        "cannot convert 1169.5",
        "x=5951",
        "value 5951.0!",
        "got [35. 22.]",
        "1.234567e-04",
        "about 0.0001235",
        "1.1695e3",
    ],
)
def test_values_of_rows_are_hidden(message: str) -> None:
    """A number that occurs in the rows is hidden however it is printed."""
    told = describe(ValueError(message), ROWS)
    assert HIDDEN in told
    assert not any(digits in told for digits in ("1169", "5951", "35.", "22", "234567", "1235"))


def test_what_helps_is_kept() -> None:
    """The type of the exception and numbers that are not values stay."""
    told = describe(ValueError("X has 3 features, but model2 expects 20"), ROWS)
    assert told == "ValueError: X has 3 features, but model2 expects 20"


def test_names_of_categories_are_hidden() -> None:
    """Names that a category feature may hold are hidden as whole words, the longest first."""
    told = describe(KeyError("unknown category 'no checking' in checking account"), None, ["no", "no checking"])
    assert told == f"KeyError: \"unknown category '{HIDDEN}' in checking account\""


def test_messages_are_cut() -> None:
    """A message of megabytes becomes a short one; an empty one is only the type."""
    assert len(describe(ValueError("x" * 10**7), ROWS)) < LONGEST + 30
    assert describe(ValueError(), ROWS) == "ValueError"
