"""Which background a request means: the model's own by name, or rows that it brings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from explainer.attribution.reference import brought, rows_of
from explainer.errors import InvalidOption, InvalidRows, Problem, TooLarge
from explainer.records import BackgroundRows, ExplainOptions, Feature
from explainer.registry.rows import code_rows

MOST_ROWS = 500
WHERE = "background.rows"
WITHOUT = ("tree_path",)  # methods that have no background


def with_background(options: ExplainOptions, features: tuple[Feature, ...], rows: Any) -> ExplainOptions:
    """The options with `rows` (None: none were sent) checked like instances and coded as their background.

    Raises InvalidRows whose problems name `background.rows[i]`, TooLarge for more than MOST_ROWS, InvalidOption for
    a method that has no background.
    """
    if rows is None:
        return options
    if options.method in WITHOUT:
        raise InvalidOption(f"background: method {options.method!r} uses none; leave `background` out.")
    if isinstance(rows, list) and len(rows) > MOST_ROWS:
        raise TooLarge(f"{WHERE}: {len(rows)} rows were sent, at most {MOST_ROWS} can be a background.")
    try:
        coded = code_rows(features, rows)
    except InvalidRows as error:
        raise _renamed(error) from None
    return replace(options, background=brought(coded))


def background_note(options: ExplainOptions) -> dict[str, int]:
    """What the ledger is told of a background that the request brought: how many rows, never which."""
    given = options.background
    return {"background_rows": len(rows_of(given))} if isinstance(given, BackgroundRows) else {}


def _renamed(error: InvalidRows) -> InvalidRows:
    """The same findings where the rows stood in the request."""
    problems = [Problem(p.where.replace("instances", WHERE, 1), p.rule, p.detail) for p in error.problems]
    return InvalidRows(error.detail.replace("instances", WHERE, 1), problems=problems)
