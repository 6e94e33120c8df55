"""What web processes and the dispatcher say to each other, as frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np

from explainer.records import ExplainOptions, FloatArray, LoadOrder, OpenReport
from explainer.workers import codec
from explainer.workers.asking import Asking
from explainer.workers.frames import Frame, FrameError
from explainer.workers.plain import PlainError, from_plain, to_plain
from explainer.workers.trial import Trial
from explainer.workers.version import PoolState

KINDS = ("predict", "explain", "interact")
HELLO = Frame("hello")
SPOIL = Frame("spoil")
HEALTH = Frame("health")


@dataclass(frozen=True, slots=True)
class Question:
    """One question about rows of a version, and for whom it is asked."""

    digest: str
    kind: str
    rows: FloatArray
    options: ExplainOptions | None
    asking: Asking


@dataclass(frozen=True, slots=True)
class Health:
    """How the dispatcher is doing: why nothing can be answered, which versions cannot, and every pool by digest."""

    unready: tuple[str, ...]
    out_of_service: dict[str, str]
    pools: dict[str, PoolState]
    processes: tuple[int, ...]


def question_frame(asked: Question) -> Frame:
    body = {
        "digest": asked.digest,
        "kind": asked.kind,
        "options": None if asked.options is None else to_plain(asked.options),
        "principal": asked.asking.principal,
        "bulk": asked.asking.bulk,
        "keys": [key.hex() for key in asked.asking.keys],
    }
    return Frame("ask", body, {"rows": asked.rows})


def read_question(frame: Frame) -> Question:
    body, rows = frame.body, frame.arrays.get("rows")
    try:
        if rows is None or rows.dtype != np.float64 or rows.ndim != 2 or body["kind"] not in KINDS:
            raise FrameError("A question needs rows and one of the known kinds.")
        options = None if body["options"] is None else from_plain(ExplainOptions, body["options"])
        keys = tuple(bytes.fromhex(key) for key in body["keys"])
        asking = Asking(body["principal"], body["bulk"], keys)
        return Question(body["digest"], body["kind"], rows, options, asking)
    except (PlainError, KeyError, TypeError, ValueError) as error:
        raise FrameError(f"A question is malformed: {error}.") from None


def wanted_frame(digest: str) -> Frame:
    """The version that a web process is about to ask of."""
    return Frame("want", digest)


def read_wanted(frame: Frame) -> str:
    digest: str = _read(str, frame)
    return digest


def report_frame(report: OpenReport) -> Frame:
    return codec.report_frame(report, ())


def health_frame(health: Health) -> Frame:
    return Frame("health", to_plain(health))


def read_health(frame: Frame) -> Health:
    health: Health = _read(Health, frame)
    return health


def trial_frame(order: LoadOrder, rows: FloatArray) -> Frame:
    asked = codec.order_frame(order)
    return Frame("trial", asked.body, {**asked.arrays, "rows": rows})


def read_trial(frame: Frame) -> tuple[LoadOrder, FloatArray]:
    rows = codec.read_rows(frame)
    names = [name for name in get_type_hints(LoadOrder) if name in frame.arrays]
    return codec.read_order(Frame("open", frame.body, {name: frame.arrays[name] for name in names})), rows


def tried_frame(tried: Trial) -> Frame:
    return Frame("tried", to_plain(tried))


def read_tried(frame: Frame) -> Trial:
    tried: Trial = _read(Trial, frame)
    return tried


def _read(kind: Any, frame: Frame) -> Any:
    try:
        return from_plain(kind, frame.body)
    except PlainError as error:
        raise FrameError(f"A frame is malformed: {error}") from None
