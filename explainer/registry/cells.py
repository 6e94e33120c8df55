"""Reads the text cells of a table: an empty cell is missing, numbers are strict, booleans are true, false, 1 or 0."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from explainer.errors import InvalidRows, Problem
from explainer.records import Feature, FloatArray
from explainer.registry.nearest import suggestion
from explainer.registry.rows import MOST_PROBLEMS, code_rows

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "True": True, "False": False}
LONGEST_NUMBER = 400


def read_cell(feature: Feature, text: str) -> Any:
    """Return the JSON value of a cell; raises ValueError with a sentence when the text cannot be read.

    Ranges and categories are not looked at: that is the coding's part.
    """
    if text == "":
        return None
    if feature.type == "category":
        return text
    if feature.type == "boolean":
        if text not in BOOLEANS:
            raise ValueError(f"{text[:40]!r} is not a truth value; write true, false, 1 or 0.")
        return BOOLEANS[text]
    if len(text) > LONGEST_NUMBER or not NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a number; {_advice(text)}")
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def fit_row(features: tuple[Feature, ...], row: Any, where: str) -> list[Problem]:
    """Return what is wrong with one row of JSON values, its place written as `where`."""
    try:
        code_rows(features, [row])
    except InvalidRows as error:
        return [Problem(p.where.replace("instances[0]", where, 1), p.rule, p.detail) for p in error.problems]
    return []


def fit_cells(
    features: tuple[Feature, ...], cells: Mapping[str, str], where: str
) -> tuple[dict[str, Any], list[Problem]]:
    """Return a row of text cells as JSON values by feature name, and what is wrong with it."""
    row: dict[str, Any] = {}
    unreadable: dict[str, str] = {}
    for feature in features:
        text = cells[feature.name]
        try:
            row[feature.name] = read_cell(feature, text)
        except ValueError as error:
            row[feature.name] = text
            unreadable[f"{where}.{feature.name}"] = str(error)
    problems = fit_row(features, row, where)
    return row, [Problem(p.where, p.rule, unreadable.get(p.where, p.detail)) for p in problems]


def code_table(features: tuple[Feature, ...], columns: Mapping[str, Sequence[str]]) -> FloatArray:
    """Code columns of text cells, by feature name, to shape (rows, features); raises InvalidRows."""
    problems = header_problems(features, list(columns))
    lengths = {len(cells) for cells in columns.values()}
    if not problems and len(lengths) != 1:
        problems = [Problem("header", "length", f"The columns differ in length: {sorted(lengths)}.")]
    rows = []
    for i in range(0 if problems else lengths.pop()):
        row, faults = fit_cells(features, {name: cells[i] for name, cells in columns.items()}, f"instances[{i}]")
        rows.append(row)
        problems += faults
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise InvalidRows(f"{problems[0].where}: {problems[0].detail}", problems=problems[:MOST_PROBLEMS])
    return code_rows(features, rows)


def header_problems(features: Sequence[Feature], header: Sequence[str], ignored: Sequence[str] = ()) -> list[Problem]:
    """Return what is wrong with the column names of a table: twice there, unknown, or missing."""
    known = [feature.name for feature in features]
    absent = [name for name in known if name not in header]
    found = []
    seen: set[str] = set()
    for name in header:
        if name in seen:
            found.append(Problem(f"header.{name[:60]}", "duplicate", f"The column {name[:60]!r} is there twice."))
        elif name not in known and name not in ignored:
            detail = f"The column {name[:60]!r} is not a feature; remove it or name it to be ignored."
            found.append(Problem(f"header.{name[:60]}", "unknown-feature", detail + suggestion(name, absent)))
        seen.add(name)
    for name in absent:
        found.append(Problem(f"header.{name}", "missing-feature", f"The column {name!r} is missing; add it."))
    return found


def _advice(text: str) -> str:
    if text != text.strip():
        return "remove the blanks around it."
    if re.fullmatch(r"[+-]?[\d.]*,\d+", text):
        return "write a point, not a comma, before the fraction."
    if text.lower() in ("na", "nan", "null", "none", "n/a", "?"):
        return "leave the cell empty when the value is missing."
    return "write digits, at most one point, and no unit."
