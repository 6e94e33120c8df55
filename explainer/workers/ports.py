"""What a worker serves, and what makes it ready."""

from __future__ import annotations

from typing import Protocol

from explainer.records import ExplainOptions, Explanation, FloatArray, Interactions, LoadOrder, OpenReport


class Served(Protocol):
    """A version that is ready; `predict` gives shape (rows, report.outputs), the others one tuple for each row."""

    @property
    def report(self) -> OpenReport: ...

    def predict(self, rows: FloatArray) -> FloatArray: ...

    def explain(self, rows: FloatArray, options: ExplainOptions) -> list[tuple[Explanation, ...]]: ...

    def interact(self, rows: FloatArray, options: ExplainOptions) -> list[tuple[Interactions, ...]]: ...


class Opener(Protocol):
    """What makes an order ready; the nursery is told it by name, so that tests can serve models that misbehave."""

    def __call__(self, order: LoadOrder) -> Served: ...
