"""What a method is asked, what it answers, and the form every method has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from explainer.attribution.model import IntArray, OpenedModel
from explainer.records import FloatArray, LimeReport, Notice, OutputSpace, Stopped

Stop = Callable[[], bool]  # whether nobody waits for the answer any more


def unwatched() -> None:
    """Somebody waits for as long as it takes."""


@dataclass(frozen=True, slots=True)
class Background:
    """Coded rows that stand for 'absent': distinct rows (rows, features) with weights that sum to one."""

    rows: FloatArray
    weights: FloatArray
    digest: str
    name: str = "default"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained: a model against a background. `kinds[i]` counts the categories of feature i, 0 if numeric."""

    model: OpenedModel
    model_digest: str
    background: Background
    kinds: IntArray
    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]  # category names of each feature, for rules in words


@dataclass(frozen=True, slots=True)
class Ask:
    """The settings of one request after defaults: output space, which outputs, and how far to go."""

    space: OutputSpace
    outputs: tuple[int, ...]
    tolerance: float | None = None
    max_evaluations: int | None = None
    deadline: float | None = None  # time.monotonic() at which sampling stops
    confidence: float = 0.95
    separate: int | None = None  # so many leading features are to have an order beyond doubt
    look: Callable[[], None] = field(default=unwatched, compare=False)  # raises Cancelled when nobody waits any more
    named: bool = False  # the method was asked for by its own name: a method may then accept a higher cost


@dataclass(frozen=True, slots=True)
class Suitability:
    fits: bool
    exact: bool
    why: str  # a sentence fit for the answer's method.reason, or why it does not fit


@dataclass(frozen=True, slots=True)
class Attributions:
    """For n rows, d features, k outputs. Unknown standard errors are NaN; exact ones are 0."""

    values: FloatArray  # (n, d, k)
    standard_errors: FloatArray  # (n, d, k)
    expected: FloatArray  # (n, k)
    predictions: FloatArray  # (n, k)
    evaluations: IntArray  # (n,) model rows evaluated
    exact: bool
    additive: bool  # False only for LIME
    notices: Sequence[tuple[Notice, ...]] = field(default=())  # per row, or empty
    lime: Sequence[tuple[LimeReport, ...]] = field(default=())  # per row and output, or empty
    stopped: Sequence[Stopped] = field(default=())  # per row, which rule ended its sampling, or empty


class Prepared(Protocol):
    """A method made ready for one subject, space and outputs. Row i's answer never depends on the other rows."""

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions: ...


class Method(Protocol):
    """One method. Files in `attribution/methods/` end with `METHOD = ...` of this form and are found by scanning."""

    name: ClassVar[str]
    version: ClassVar[int]  # raised whenever a number it gives may change: it is part of the cache key
    family: ClassVar[Literal["shap", "lime", "other"]]  # other: another game, taken by its own name alone
    rung: ClassVar[int]  # place on the ladder of `auto`: the lowest that fits wins; 10 linear .. 90 last resort
    summary: ClassVar[str]  # one sentence for people

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability: ...

    def prepare(self, subject: Subject, ask: Ask) -> Prepared: ...
