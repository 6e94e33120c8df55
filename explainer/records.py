"""Frozen records that rooms hand to one another; no behaviour.

Rows travel in *coded* form: a float64 matrix of shape (rows, features) in schema order, where a number is itself,
a boolean is 0 or 1, a category is its position in `Feature.categories`, and a missing value is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

FeatureType = Literal["number", "integer", "category", "boolean"]
Task = Literal["classification", "regression"]
OutputSpace = Literal["raw", "log_odds", "probability"]
Changes = Literal["any", "up", "down"]
AdverseWhen = Literal["at_or_above", "below"]
Reference = Literal["average", "approved"]
Stopped = Literal["tolerance", "ranks", "deadline", "evaluations", "converged"]


# --- what a model is --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """Plain words for a feature that pushed the output up or down."""

    increases: str
    decreases: str


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    type: FeatureType
    categories: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    nullable: bool = False
    description: str = ""
    protected: bool = False
    mutable: bool = True
    reason: Reason | None = None
    group: str | None = None
    step: float | None = None  # a number changes by multiples of it only, counted from the row's own value
    changes: Changes = "any"  # in which direction the value of a mutable feature can go


@dataclass(frozen=True, slots=True)
class BackgroundSpec:
    file: str
    rows: int
    sha256: str
    description: str


@dataclass(frozen=True, slots=True)
class GoldenSpec:
    """Rows and predictions that every load must reproduce, and the library that made them."""

    file: str
    sha256: str
    library: str
    version: str


@dataclass(frozen=True, slots=True)
class DecisionSpec:
    """The adverse outcome is that of a score at or above the threshold, or of one below it.

    `reference`: principal reasons are told relative to the background's average, or to that of its approved rows;
    at most `reasons` of them. `jurisdiction` names the template of a notice, `due_days` how long a review may take.
    """

    threshold: float
    favourable: str
    adverse: str
    adverse_when: AdverseWhen = "at_or_above"
    reference: Reference = "average"
    reasons: int = 4
    due_days: int = 30
    jurisdiction: str = "generic"
    verdict_reasons: tuple[str, ...] = ()  # what a reviewer chooses from; empty: the house's own list


@dataclass(frozen=True, slots=True)
class CardSpec:
    owner: str
    purpose: str
    trained_on: str
    license: str
    file: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the model's owner declares; `classes` is empty for regression."""

    name: str
    version: str
    format: str
    file: str
    sha256: str
    task: Task
    classes: tuple[str, ...]
    positive_class: str | None
    output: OutputSpace
    features: tuple[Feature, ...]
    background: BackgroundSpec
    golden: GoldenSpec
    card: CardSpec
    decision: DecisionSpec | None = None
    remote: RemoteSpec | None = None


@dataclass(frozen=True, slots=True)
class RemoteSpec:
    """Where a remote model answers (formats `kserve-v1` and `oip-v2`)."""

    url: str
    model: str
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered version. `digest` covers the manifest and, through its checksums, every file it names."""

    manifest: Manifest
    digest: str
    folder: Path
    registered_at: str
    retired_at: str | None = None
    notices: tuple[Notice, ...] = ()
    signed_by: str | None = None


# --- what is asked and what is answered ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BackgroundRows:
    """Coded rows that a request brings as its background: little-endian float64 of shape (rows, features).

    Sorted, with one bit pattern for each value, a row as often as it was sent; `digest` (hexadecimal) is theirs.
    """

    digest: str
    features: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What the caller may set; None means 'as the model's manifest or the method's default says'."""

    method: str = "auto"
    output: OutputSpace | None = None
    class_name: str | None = None
    background: str | BackgroundRows = "default"
    top: int | None = None
    tolerance: float | None = None
    max_evaluations: int | None = None
    deadline_ms: int | None = None
    seed: int | None = None
    separate: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know: a stable code and a sentence."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class MethodReport:
    """How the numbers were got. `evaluations` counts model rows; the gap is in units of the output.

    `stopped` says which rule ended the sampling; None where nothing was sampled.
    """

    name: str
    version: int
    reason: str
    exact: bool
    evaluations: int
    seed: int | None
    background: str
    additivity_gap: float | None
    stopped: Stopped | None = None


@dataclass(frozen=True, slots=True)
class LimeReport:
    intercept: float
    local_r2: float
    samples: int
    kernel_width: float
    rules: tuple[tuple[str, float], ...]
    stability: float | None = None  # share of the leading features that independent halves of the samples agree on


@dataclass(frozen=True, slots=True)
class Explanation:
    """One row, one class, one output space; attributions and errors in schema order (error None: not known)."""

    prediction: float
    expected_value: float
    class_name: str | None
    output: OutputSpace
    attributions: tuple[float, ...]
    standard_errors: tuple[float | None, ...]
    method: MethodReport
    confidence: float = 0.95
    warnings: tuple[Notice, ...] = ()
    lime: LimeReport | None = None


@dataclass(frozen=True, slots=True)
class Interactions:
    """One row, one class, one output space: a symmetric matrix (features, features) whose rows sum to the attributions.

    Off the diagonal is half of each pair's Shapley interaction index, on it the main effect; errors are of each entry.
    """

    prediction: float
    expected_value: float
    class_name: str | None
    output: OutputSpace
    values: FloatArray
    standard_errors: FloatArray
    method: MethodReport
    confidence: float = 0.95
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person or a program, with the role that was granted."""

    id: str
    kind: Literal["person", "key", "local", "anonymous"]
    role: str
    name: str = ""
    models: tuple[str, ...] = field(default=("*",))


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One event `source:subject:action` with its outcome; `body` holds no row values."""

    event: str
    principal: str
    outcome: str
    request_id: str
    body: dict[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was answered: enough to compute it again and to prove that it is the same."""

    id: str
    created_at: str
    principal: str
    model: str
    version: str
    model_digest: str
    options: ExplainOptions
    row: tuple[float, ...]
    answer: bytes
    answer_sha256: str


# --- what a worker is told and what it reports -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """Everything a worker needs to open one version; rows are coded, golden predictions have shape (rows, outputs)."""

    manifest: Manifest
    digest: str
    model_path: Path
    background: FloatArray
    background_digest: str
    golden_rows: FloatArray
    golden_predictions: FloatArray
    signed_by: str | None = None


@dataclass(frozen=True, slots=True)
class OpenReport:
    """What a worker found when it opened a version. `methods` gives the version number of every method it can run."""

    library: str
    library_version: str
    outputs: int
    structure: Literal["trees", "linear", "none"]
    methods: dict[str, int]
    notices: tuple[Notice, ...] = ()
