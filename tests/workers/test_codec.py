"""Everything that crosses between web process and worker arrives as it was, or is refused."""

from __future__ import annotations

import math
import socket
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer import errors
from explainer.attribution.reference import brought
from explainer.errors import ExplainerError, Problem
from explainer.records import ExplainOptions, Explanation, Interactions, LimeReport, MethodReport, Notice, OpenReport
from explainer.workers import codec
from explainer.workers.frames import Frame, FrameError, receive, send
from tests.workers.fakes import order_of


def over_a_socket(frame: Frame) -> Frame:
    left, right = socket.socketpair()
    with left, right:
        send(left, frame)
        return receive(right)


FINITE = st.floats(allow_nan=False)
METHOD = st.builds(
    MethodReport,
    name=st.text(max_size=5),
    version=st.integers(0, 9),
    reason=st.text(max_size=9),
    exact=st.booleans(),
    evaluations=st.integers(0, 2**40),
    seed=st.none() | st.integers(0, 2**63 - 1),
    background=st.text(max_size=5),
    additivity_gap=st.none() | FINITE,
)
LIME = st.builds(
    LimeReport, FINITE, FINITE, st.integers(0, 9), FINITE, st.lists(st.tuples(st.text(), FINITE), max_size=2).map(tuple)
)
EXPLANATION = st.builds(
    Explanation,
    prediction=FINITE,
    expected_value=FINITE,
    class_name=st.none() | st.text(max_size=5),
    output=st.sampled_from(["raw", "log_odds", "probability"]),
    attributions=st.tuples(FINITE, FINITE),
    standard_errors=st.tuples(st.none() | FINITE, st.none() | FINITE),
    method=METHOD,
    confidence=FINITE,
    warnings=st.lists(st.builds(Notice, st.text(), st.text()), max_size=2).map(tuple),
    lime=st.none() | LIME,
)


@given(st.lists(st.lists(EXPLANATION, max_size=3).map(tuple), max_size=4))
def test_explanations_come_back(answers: list[tuple[Explanation, ...]]) -> None:
    """Explanations of any number of rows and classes come back the same, floats to the bit, None as None."""
    back = codec.read_explanations(over_a_socket(codec.explanations_frame(answers)))
    assert repr(back) == repr(answers)


def test_orders_come_back() -> None:
    """A load order comes back whole: every field of the record, arrays with the same bits."""
    order = replace(order_of(), signed_by="key")
    back = codec.read_order(over_a_socket(codec.order_frame(order)))
    for name in ("manifest", "digest", "model_path", "background_digest", "signed_by"):
        assert getattr(back, name) == getattr(order, name)
    for name in ("background", "golden_rows", "golden_predictions"):
        assert getattr(back, name).tobytes() == getattr(order, name).tobytes()


def test_options_rows_and_predictions_come_back() -> None:
    """Rows with missing values, options and predictions come back."""
    rows = np.array([[1.0, np.nan], [-0.0, math.pi]])
    options = ExplainOptions(method="lime", output="raw", tolerance=0.1, seed=2**62)
    frame = over_a_socket(codec.explain_frame(rows, options))
    assert codec.read_rows(frame).tobytes() == rows.tobytes()
    assert codec.read_options(frame) == options
    assert codec.read_predictions(over_a_socket(codec.predictions_frame(rows))).tobytes() == rows.tobytes()


def test_rows_as_background_come_back() -> None:
    """Rows that a request brings arrive to the bit, missing values included."""
    options = ExplainOptions(background=brought(np.array([[1.5, np.nan], [-0.0, 5e-324]])), class_name="yes")
    assert codec.read_options(over_a_socket(codec.explain_frame(np.zeros((1, 2)), options))) == options


def test_reports_come_back() -> None:
    """What a worker found comes back with what keeps it closed in."""
    report = OpenReport("xgboost", "3", 2, "trees", {"tree": 3}, (Notice("a", "b"),))
    assert codec.read_report(over_a_socket(codec.report_frame(report, ["x"]))) == (report, ("x",))


OURS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ExplainerError)]


@pytest.mark.parametrize("kind", OURS)
def test_errors_come_back_as_their_class(kind: type[ExplainerError]) -> None:
    """Every error of the house is raised again as its own class with its detail and problems."""
    error = kind("what happened", problems=[Problem("where", "rule", "détail")])
    back, last = codec.read_error(over_a_socket(codec.error_frame(error, last=True)))
    assert (type(back), back.detail, back.problems, last) == (kind, error.detail, error.problems, True)


def test_unknown_errors_are_refused() -> None:
    """A code that is not ours, or is not a string, is not an error of ours."""
    good = codec.error_frame(errors.ModelFailed("x")).body
    for code in ("boom", 7, "bad-setting"):
        with pytest.raises(FrameError):
            codec.read_error(Frame("error", {**good, "code": code}))


def explanations(**changes: object) -> Frame:
    method = MethodReport("m", 1, "r", True, 1, None, "b", None)
    frame = codec.explanations_frame([(Explanation(1.0, 0.5, None, "raw", (1.0, 2.0), (0.0, None), method),)])
    arrays = {**frame.arrays, **{k: v for k, v in changes.items() if isinstance(v, np.ndarray)}}
    body = {**frame.body, **{k: v for k, v in changes.items() if not isinstance(v, np.ndarray)}}
    return Frame(frame.kind, body, arrays)


@pytest.mark.parametrize(
    "frame",
    [
        explanations(counts=[2]),
        explanations(counts=[-1, 2]),
        explanations(counts="1"),
        explanations(rest=[["x"]]),
        explanations(rest=[None]),
        explanations(rest={}),
        explanations(scalars=np.zeros((2, 3))),
        explanations(scalars=np.zeros((1, 3), dtype=np.int64)),
        explanations(attributions=np.zeros((1, 3))),
        explanations(standard_errors=np.zeros((2, 2))),
        explanations(more=1),
        Frame("pong", None),
        Frame("explanations", None),
        Frame("explanations", {"counts": [0], "rest": []}),
    ],
)
def test_malformed_explanations_are_refused(frame: Frame) -> None:
    """Explanations whose parts do not fit together raise FrameError, never another error."""
    with pytest.raises(FrameError):
        codec.read_explanations(frame)


def paired(seed: int) -> Interactions:
    values = np.random.default_rng(seed).normal(size=(3, 3))
    method = MethodReport("m", 1, "r", True, 1, None, "b", 0.0)
    return Interactions(1 / 3, -0.0, "yes", "log_odds", values, np.abs(values), method, 0.9, (Notice("a", "b"),))


def test_interactions_come_back() -> None:
    """Matrices of any number of rows and classes come back with the same bits, and with all that is said of them."""
    answers = [(paired(1), paired(2)), (), (paired(3),)]
    back = codec.read_interactions(over_a_socket(codec.interactions_frame(answers)))
    assert [len(row) for row in back] == [2, 0, 1]
    for row, told in zip(back, answers, strict=True):
        for b, a in zip(row, told, strict=True):
            assert b.values.tobytes() == a.values.tobytes()
            assert b.standard_errors.tobytes() == a.standard_errors.tobytes()
            assert repr(replace(b, values=a.values, standard_errors=a.standard_errors)) == repr(a)
    assert codec.read_interactions(over_a_socket(codec.interactions_frame([]))) == []


def test_malformed_interactions_are_refused() -> None:
    """Parts that do not fit together raise FrameError, where they are made and where they are read."""
    good = codec.interactions_frame([(paired(1),)])
    for arrays in ({"values": np.zeros((2, 3, 3))}, {"scalars": np.zeros((2, 3))}, {"standard_errors": np.zeros(3)}):
        with pytest.raises(FrameError):
            codec.read_interactions(Frame(good.kind, good.body, {**good.arrays, **arrays}))
    for body in ({**good.body, "counts": [2]}, {**good.body, "rest": [None]}, None):
        with pytest.raises(FrameError):
            codec.read_interactions(Frame(good.kind, body, good.arrays))
    with pytest.raises(FrameError):
        codec.read_interactions(explanations())
    with pytest.raises(FrameError, match="square"):
        codec.interactions_frame([(paired(1), replace(paired(2), values=np.zeros((2, 3))))])


def test_malformed_others_are_refused() -> None:
    """Reports, options, rows and predictions of another form raise FrameError."""
    with pytest.raises(FrameError):
        codec.read_report(Frame("opened", {"report": {}, "isolation": []}))
    with pytest.raises(FrameError):
        codec.read_options(Frame("explain", {"method": 1}))
    with pytest.raises(FrameError):
        codec.read_rows(Frame("predict", None, {"rows": np.zeros(3)}))
    with pytest.raises(FrameError):
        codec.read_predictions(Frame("pong"))


def test_ragged_explanations_are_not_sent() -> None:
    """Explanations of different widths are refused where they are made."""
    method = MethodReport("m", 1, "r", True, 1, None, "b", None)
    one = Explanation(1.0, 0.5, None, "raw", (1.0, 2.0), (0.0, None), method)
    with pytest.raises(FrameError, match="same number"):
        codec.explanations_frame([(one,), (replace(one, attributions=(1.0,)),)])
