"""What a worker serves, and what makes it ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from explainer.attribution.ports import Stop
from explainer.records import ExplainOptions, Explanation, FloatArray, Interactions, LoadOrder, OpenReport

if TYPE_CHECKING:
    from explainer.workers.asking import Asking
    from explainer.workers.trial import Trial


class Served(Protocol):
    """A version that is ready; `predict` gives shape (rows, report.outputs), the others one tuple for each row.

    `stop` is asked now and then whether nobody waits any more; Cancelled is raised when it says so.
    """

    @property
    def report(self) -> OpenReport: ...

    def predict(self, rows: FloatArray) -> FloatArray: ...

    def explain(
        self, rows: FloatArray, options: ExplainOptions, stop: Stop | None = None
    ) -> list[tuple[Explanation, ...]]: ...

    def interact(
        self, rows: FloatArray, options: ExplainOptions, stop: Stop | None = None
    ) -> list[tuple[Interactions, ...]]: ...


class Workers(Protocol):
    """The workers of all versions, wherever they are; for what each method raises see `WorkerPools`."""

    def start(self) -> None: ...

    def shutdown(self) -> None: ...

    def predict(self, digest: str, rows: FloatArray, asking: Asking = ...) -> FloatArray: ...

    def explain(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ...
    ) -> list[tuple[Explanation, ...]]: ...

    def interact(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ...
    ) -> list[tuple[Interactions, ...]]: ...

    def trial(self, order: LoadOrder, rows: FloatArray) -> Trial: ...


class Opener(Protocol):
    """What makes an order ready; the nursery is told it by name, so that tests can serve models that misbehave."""

    def __call__(self, order: LoadOrder) -> Served: ...
