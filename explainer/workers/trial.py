"""A version is tried in a throw-away worker before anybody can see it: opened, asked to predict and to explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explainer.errors import ExplainerError, ModelFailed, ModelRefused, Problem
from explainer.records import ExplainOptions, FloatArray, LoadOrder, Notice, OpenReport
from explainer.settings import Settings
from explainer.workers import codec
from explainer.workers.answers import checked_explanations, checked_predictions
from explainer.workers.client import Worker, opened, within
from explainer.workers.vetting import vetted

FAMILIES = ("auto", "lime")


@dataclass(frozen=True, slots=True)
class Trial:
    """What the worker reported when it had opened the version, what held it in, and what vetting found."""

    report: OpenReport
    isolation: tuple[str, ...]
    findings: tuple[Notice, ...] = ()


def tried(fork: Callable[[], Worker], order: LoadOrder, rows: FloatArray, settings: Settings) -> Trial:
    """Return what a worker reports of the version once it has predicted and explained `rows` by each family.

    Raises ModelRefused with every problem. The worker is killed in the end.
    """
    try:
        worker, report, isolation = opened(fork, order, settings.open_timeout_s)
    except ModelFailed as error:
        problems = [*error.problems, Problem("model", error.code, error.detail)]
        raise ModelRefused(f"The model could not be opened: {error.detail}", problems=problems) from error
    try:
        problems = _found(worker, order, rows, report, settings.worker_timeout_s)
        findings = () if problems else vetted(worker, order, report.outputs)
    finally:
        worker.close()
    if problems:
        detail = "; ".join(f"{problem.where}: {problem.detail}" for problem in problems)
        raise ModelRefused(f"The model opens, but does not answer as it should: {detail}", problems=problems)
    return Trial(report, isolation, findings)


def _found(worker: Worker, order: LoadOrder, rows: FloatArray, report: OpenReport, seconds: float) -> list[Problem]:
    problems: list[Problem] = []
    for where, step in _steps(worker, order, rows, report):
        try:
            step(within(seconds))
        except ExplainerError as error:
            problems += [*error.problems, Problem(where, error.code, error.detail)]
        if worker.failure is not None:
            break
    return problems


def _steps(
    worker: Worker, order: LoadOrder, rows: FloatArray, report: OpenReport
) -> list[tuple[str, Callable[[float], object]]]:
    features = len(order.manifest.features)

    def predict(deadline: float) -> None:
        answer = worker.ask(codec.predict_frame(rows), deadline)
        checked_predictions(worker.understand(codec.read_predictions, answer), len(rows), report.outputs)

    def explain(method: str, deadline: float) -> None:
        answer = worker.ask(codec.explain_frame(rows, ExplainOptions(method=method)), deadline)
        found = worker.understand(codec.read_explanations, answer)
        checked_explanations(found, len(rows), features, report.outputs)

    methods = [name for name in FAMILIES if name == "auto" or name in report.methods]
    return [("predict", predict), *((f"explain by {m}", lambda deadline, m=m: explain(m, deadline)) for m in methods)]
