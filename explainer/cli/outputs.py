"""Writes answers to a JSONL, CSV or Parquet file that is there whole or not at all."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import orjson

from explainer.errors import InvalidOption
from explainer.records import Feature

ROW_GROUP = 5000
ENDINGS = (".jsonl", ".csv", ".parquet")

Kind = Literal["text", "number", "integer", "flag"]
Answer = Mapping[str, Any]

EXPLANATION: dict[str, Kind] = {
    "line": "integer",
    "prediction": "number",
    "expected_value": "number",
    "class": "text",
    "output": "text",
    "method.name": "text",
    "method.exact": "flag",
    "method.evaluations": "integer",
    "method.additivity_gap": "number",
    "lime.local_r2": "number",
    "other.attribution": "number",
    "warnings": "text",
    "cache": "text",
    "receipt": "text",
}
PREDICTION: dict[str, Kind] = {
    "line": "integer",
    "prediction": "number",
    "output": "text",
    "class": "text",
    "decision": "text",
    "warnings": "text",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a flat file, by name with their kind, and how an answer becomes cells (absent: no value)."""

    columns: Mapping[str, Kind]
    flat: Callable[[Answer], Mapping[str, Any]]


class Writer(Protocol):
    def write(self, answer: Answer) -> None: ...

    def close(self) -> None: ...


def explanation_layout(features: Sequence[Feature]) -> Layout:
    """Lay out an explanation: what holds for the row, then value, attribution and standard error by feature.

    The columns by feature are `value.<name>`, `attribution.<name>` and `standard_error.<name>`.
    """
    kinds: dict[str, Kind] = {"number": "number", "integer": "integer", "boolean": "flag", "category": "text"}
    columns: dict[str, Kind] = dict(EXPLANATION)
    columns |= {f"value.{feature.name}": kinds[feature.type] for feature in features}
    columns |= {f"{part}.{f.name}": "number" for part in ("attribution", "standard_error") for f in features}
    return Layout(columns, _flat_explanation)


def prediction_layout(classes: Sequence[str]) -> Layout:
    """Lay out a prediction; each class has its own column, named `probability.<class>`."""
    return Layout(PREDICTION | {f"probability.{name}": "number" for name in classes}, _flat_prediction)


@contextmanager
def writing(path: Path, layout: Layout) -> Iterator[Writer]:
    """Lend a writer; the file appears under its name when the block ends well, and nothing is left otherwise.

    JSONL keeps the whole answer; CSV and Parquet keep the columns of `layout`. Raises InvalidOption when the ending
    of the name is none of these, when its folder is not there, or when pyarrow is missing.
    """
    makers: dict[str, Callable[[IO[bytes], Layout], Writer]] = {".jsonl": _Lines, ".csv": _Csv, ".parquet": _Parquet}
    maker = makers.get(path.suffix.lower())
    if maker is None:
        raise InvalidOption(f"output: {path.name} must end with one of {', '.join(ENDINGS)}.")
    if not path.parent.is_dir():
        raise InvalidOption(f"output: there is no folder {path.parent}.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            writer = maker(file, layout)
            try:
                yield writer
            finally:
                writer.close()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class _Lines:
    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._file = file

    def write(self, answer: Answer) -> None:
        self._file.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        self._file.flush()


class _Csv:
    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._layout = layout
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(list(layout.columns))

    def write(self, answer: Answer) -> None:
        flat = self._layout.flat(answer)
        self._rows.writerow([_cell(flat.get(name)) for name in self._layout.columns])

    def close(self) -> None:
        self._text.detach()


class _Parquet:
    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise InvalidOption("output: Parquet needs pyarrow: pip install 'explainer[parquet]'.") from None
        types = {
            "text": pyarrow.string(),
            "number": pyarrow.float64(),
            "integer": pyarrow.int64(),
            "flag": pyarrow.bool_(),
        }
        self._arrow = pyarrow
        self._layout = layout
        self._schema = pyarrow.schema([(name, types[kind]) for name, kind in layout.columns.items()])
        self._out = parquet.ParquetWriter(file, self._schema)
        self._rows: list[Mapping[str, Any]] = []

    def write(self, answer: Answer) -> None:
        self._rows.append(self._layout.flat(answer))
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._out.close()

    def _flush(self) -> None:
        data = {name: [row.get(name) for row in self._rows] for name in self._layout.columns}
        self._out.write_table(self._arrow.table(data, schema=self._schema))
        self._rows = []


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _flat_explanation(answer: Answer) -> dict[str, Any]:
    flat = {key: answer.get(key) for key in EXPLANATION}
    for table in ("method", "lime", "other"):
        flat |= {f"{table}.{key}": value for key, value in (answer.get(table) or {}).items()}
    flat["warnings"] = _codes(answer)
    for item in answer["attributions"]:
        flat |= {f"{part}.{item['feature']}": item.get(part) for part in ("value", "attribution", "standard_error")}
    return flat


def _flat_prediction(answer: Answer) -> dict[str, Any]:
    flat = {key: answer.get(key) for key in PREDICTION} | {"warnings": _codes(answer)}
    return flat | {f"probability.{name}": value for name, value in (answer.get("probabilities") or {}).items()}


def _codes(answer: Answer) -> str:
    return ";".join(warning["code"] for warning in answer.get("warnings", ()))
