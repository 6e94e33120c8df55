"""What is said between the web process and a worker, as frames: orders, rows, explanations, reports, errors; no pickle.

Coded rows, predictions, attributions and their errors travel as raw float64 and so arrive with the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_type_hints

import numpy as np

from explainer import errors
from explainer.errors import ExplainerError, Problem
from explainer.records import (
    ExplainOptions,
    Explanation,
    FloatArray,
    Interactions,
    LimeReport,
    LoadOrder,
    MethodReport,
    Notice,
    OpenReport,
    OutputSpace,
)
from explainer.workers.frames import Array, Frame, FrameError
from explainer.workers.plain import PlainError, decoder, from_plain, to_plain

_ORDER_ARRAYS = ("background", "golden_rows", "golden_predictions")
_ORDER_FIELDS = {name: hint for name, hint in get_type_hints(LoadOrder).items() if name not in _ORDER_ARRAYS}
_REST = decoder(tuple[str | None, OutputSpace, MethodReport, tuple[Notice, ...], LimeReport | None])


def order_frame(order: LoadOrder) -> Frame:
    body = {name: to_plain(getattr(order, name)) for name in _ORDER_FIELDS}
    return Frame("open", body, {name: getattr(order, name) for name in _ORDER_ARRAYS})


def read_order(frame: Frame) -> LoadOrder:
    body = _fields(frame, *_ORDER_FIELDS)
    fields: dict[str, Any] = {name: _plain(hint, body[name]) for name, hint in _ORDER_FIELDS.items()}
    fields |= {name: _floats(frame, name, 2) for name in _ORDER_ARRAYS}
    return LoadOrder(**fields)


def report_frame(report: OpenReport, isolation: Sequence[str]) -> Frame:
    return Frame("opened", {"report": to_plain(report), "isolation": list(isolation)})


def read_report(frame: Frame) -> tuple[OpenReport, tuple[str, ...]]:
    body = _fields(frame, "report", "isolation")
    return _plain(OpenReport, body["report"]), _plain(tuple[str, ...], body["isolation"])


def predict_frame(rows: FloatArray) -> Frame:
    return Frame("predict", None, {"rows": rows})


def explain_frame(rows: FloatArray, options: ExplainOptions) -> Frame:
    return Frame("explain", to_plain(options), {"rows": rows})


def interact_frame(rows: FloatArray, options: ExplainOptions) -> Frame:
    return Frame("interact", to_plain(options), {"rows": rows})


def read_rows(frame: Frame) -> FloatArray:
    return _floats(frame, "rows", 2)


def read_options(frame: Frame) -> ExplainOptions:
    options: ExplainOptions = _plain(ExplainOptions, frame.body)
    return options


def predictions_frame(predictions: FloatArray) -> Frame:
    return Frame("predictions", None, {"predictions": np.asarray(predictions, dtype=np.float64)})


def read_predictions(frame: Frame) -> FloatArray:
    if frame.kind != "predictions":
        raise FrameError(f"Predictions were expected, not {frame.kind[:40]!r}.")
    return _floats(frame, "predictions", 2)


def explanations_frame(answers: Sequence[Sequence[Explanation]]) -> Frame:
    """Pack one tuple of explanations for each row; a standard error of None travels as NaN."""
    flat = [explanation for row in answers for explanation in row]
    width = len(flat[0].attributions) if flat else 0
    if any(len(e.attributions) != width or len(e.standard_errors) != width for e in flat):
        raise FrameError("Explanations of one model must all have the same number of attributions.")
    arrays = {
        "scalars": _matrix([(e.prediction, e.expected_value, e.confidence) for e in flat], 3),
        "attributions": _matrix([e.attributions for e in flat], width),
        "standard_errors": _matrix([[np.nan if s is None else s for s in e.standard_errors] for e in flat], width),
    }
    rest = [[e.class_name, e.output, to_plain(e.method), to_plain(e.warnings), to_plain(e.lime)] for e in flat]
    return Frame("explanations", {"counts": [len(row) for row in answers], "rest": rest}, arrays)


def read_explanations(frame: Frame) -> list[tuple[Explanation, ...]]:
    counts, rest = _counted(frame, "explanations")
    flat = iter([*_explanations(frame, rest)])
    return [tuple(next(flat) for _ in range(count)) for count in counts]


def interactions_frame(answers: Sequence[Sequence[Interactions]]) -> Frame:
    """Pack one tuple of interactions for each row; the matrices travel as raw float64."""
    flat = [found for row in answers for found in row]
    width = len(flat[0].values) if flat else 0
    if any(found.values.shape != (width, width) or found.standard_errors.shape != (width, width) for found in flat):
        raise FrameError("Interactions of one model must all be square and of the same size.")
    arrays = {
        "scalars": _matrix([(f.prediction, f.expected_value, f.confidence) for f in flat], 3),
        "values": _cube([f.values for f in flat], width),
        "standard_errors": _cube([f.standard_errors for f in flat], width),
    }
    rest = [[f.class_name, f.output, to_plain(f.method), to_plain(f.warnings), None] for f in flat]
    return Frame("interactions", {"counts": [len(row) for row in answers], "rest": rest}, arrays)


def read_interactions(frame: Frame) -> list[tuple[Interactions, ...]]:
    counts, rest = _counted(frame, "interactions")
    scalars, values = _floats(frame, "scalars", 2), _floats(frame, "values", 3)
    spread = _floats(frame, "standard_errors", 3)
    if scalars.shape != (len(rest), 3) or values.shape != spread.shape or len(values) != len(rest):
        raise FrameError("The arrays of interactions do not have one entry for each of them.")
    flat = iter([_one_interactions(*parts) for parts in zip(scalars.tolist(), values, spread, rest, strict=True)])
    return [tuple(next(flat) for _ in range(count)) for count in counts]


def _one_interactions(line: list[float], values: FloatArray, errors_: FloatArray, said: Any) -> Interactions:
    class_name, output, method, warnings, _ = _said(said)
    return Interactions(line[0], line[1], class_name, output, values, errors_, method, line[2], warnings)


def error_frame(error: ExplainerError, *, last: bool = False) -> Frame:
    """Pack an error; `last` says that the worker ends after it."""
    body = {
        "code": error.code,
        "detail": error.detail,
        "problems": to_plain(error.problems),
        "retry_after_s": error.retry_after_s,
        "last": last,
    }
    return Frame("error", body)


def read_error(frame: Frame) -> tuple[ExplainerError, bool]:
    """Return the error as the class of explainer.errors that has its code, and whether the worker ends after it."""
    body = _fields(frame, "code", "detail", "problems", "retry_after_s", "last")
    kind = _CLASSES.get(_plain(str, body["code"]))
    if kind is None:
        raise FrameError(f"An error of the unknown code {body['code'][:40]!r} was reported.")
    problems = _plain(tuple[Problem, ...], body["problems"])
    again = _plain(int | None, body["retry_after_s"])
    return kind(_plain(str, body["detail"]), problems=problems, retry_after_s=again), _plain(bool, body["last"])


def _counted(frame: Frame, kind: str) -> tuple[tuple[int, ...], list[Any]]:
    """How many answers each row has, and what is said of each beside its numbers."""
    body = _fields(frame, "counts", "rest", kind=kind)
    counts = _plain(tuple[int, ...], body["counts"])
    if not isinstance(body["rest"], list) or sum(counts) != len(body["rest"]) or min(counts, default=0) < 0:
        raise FrameError(f"{kind.capitalize()} do not add up to the rows they were asked for.")
    return counts, body["rest"]


def _said(plain: Any) -> Any:
    try:
        return _REST(plain)
    except PlainError as error:
        raise FrameError(f"An explanation is malformed: {error}") from None


def _explanations(frame: Frame, rest: list[Any]) -> Iterator[Explanation]:
    scalars, values = _floats(frame, "scalars", 2), _floats(frame, "attributions", 2)
    spread = _floats(frame, "standard_errors", 2)
    if scalars.shape != (len(rest), 3) or len(values) != len(rest) or values.shape != spread.shape:
        raise FrameError("The arrays of explanations do not have one line for each explanation.")
    known = spread.astype(object)
    known[np.isnan(spread)] = None
    for line, attributions, errors_, said in zip(scalars.tolist(), values.tolist(), known.tolist(), rest, strict=True):
        class_name, output, method, warnings, lime = _said(said)
        yield Explanation(
            prediction=line[0],
            expected_value=line[1],
            class_name=class_name,
            output=output,
            attributions=tuple(attributions),
            standard_errors=tuple(errors_),
            method=method,
            confidence=line[2],
            warnings=warnings,
            lime=lime,
        )


def _matrix(lines: Sequence[Sequence[float]], width: int) -> FloatArray:
    return np.array(lines, dtype=np.float64).reshape(len(lines), width)


def _cube(matrices: Sequence[FloatArray], width: int) -> FloatArray:
    return np.array(matrices, dtype=np.float64).reshape(len(matrices), width, width)


def _fields(frame: Frame, *names: str, kind: str | None = None) -> dict[str, Any]:
    if kind is not None and frame.kind != kind:
        raise FrameError(f"{kind} was expected, not {frame.kind[:40]!r}.")
    if not isinstance(frame.body, dict) or frame.body.keys() != set(names):
        raise FrameError(f"A frame {frame.kind[:40]!r} must have exactly {', '.join(names)}.")
    return frame.body


def _plain(kind: Any, value: Any) -> Any:
    try:
        return from_plain(kind, value)
    except PlainError as error:
        raise FrameError(f"A frame is malformed: {error}") from None


def _floats(frame: Frame, name: str, dimensions: int) -> FloatArray:
    array: Array | None = frame.arrays.get(name)
    if array is None or array.dtype != np.float64 or array.ndim != dimensions:
        raise FrameError(f"A frame {frame.kind[:40]!r} needs a float64 array {name!r} of {dimensions} dimensions.")
    return array


def _tree(kind: type[ExplainerError]) -> Iterator[type[ExplainerError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


_CLASSES = {kind.code: kind for kind in _tree(ExplainerError) if kind.__module__ == errors.__name__}
