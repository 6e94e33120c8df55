"""What the attribution room knows of a model: functions over coded rows, and its structure where that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from explainer.records import FloatArray, Notice, Task

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Link = Literal["identity", "logistic", "softmax"]


@dataclass(frozen=True, slots=True)
class Columns:
    """How coded rows become the columns a model computes with, and which feature owns each column.

    `encode` maps (rows, features) to (rows, columns); `owner[c]` is the feature that column c is made from.
    """

    encode: Callable[[FloatArray], FloatArray]
    owner: IntArray


@dataclass(frozen=True, slots=True)
class LinearTerms:
    """margin = columns @ coefficients + intercept; shapes (columns, outputs) and (outputs,)."""

    coefficients: FloatArray
    intercept: FloatArray


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of decision trees over columns: margin[o] = base[o] + sum over trees of the reached leaf's value[o].

    All nodes of all trees lie in flat arrays of length `nodes`; children are absolute node numbers, -1 at a leaf.
    A row goes left when its test holds: kind 0 `x <= threshold`, kind 1 `x < threshold`, kind 2 `x is in the node's
    category set` (bits set_words[set_start[n] : set_start[n] + set_size[n]], 64 categories a word; a value that is
    negative or beyond the set is not in it), kind 3 as kind 0, but zero (up to 1e-35) counts as missing. A missing
    value (NaN) goes left exactly where `missing_left`. With `single` x is rounded to float32 before it is compared.
    """

    roots: IntArray
    column: IntArray
    kind: npt.NDArray[np.int8]
    threshold: FloatArray
    left: IntArray
    right: IntArray
    missing_left: BoolArray
    set_start: IntArray
    set_size: IntArray
    set_words: npt.NDArray[np.uint64]
    value: FloatArray  # (nodes, outputs), zero at inner nodes
    cover: FloatArray  # (nodes,), training weight that reached the node; zeros where the library does not say
    base: FloatArray  # (outputs,)
    single: bool


@dataclass(frozen=True, slots=True)
class Replica:
    """The answers of a model worked out from its trees, proven at opening to be its library's own.

    `predict` and `margin` are those of OpenedModel, in microseconds a row where a library takes hundreds for one call.
    """

    predict: Callable[[FloatArray], FloatArray]
    margin: Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model as the attribution room sees it: functions over coded rows, and its structure where it is known.

    `predict` gives (rows, classes) probabilities for classification, (rows, outputs) values for regression.
    `margin` gives (rows, margins) before `link`, or is None when the model shows no margin. `trees` and `linear`
    describe that margin. For a binary model the single margin belongs to the second class. `replica` gives the
    prediction that is reported beside an explanation; methods that ask the model itself ask `predict` and `margin`.
    """

    predict: Callable[[FloatArray], FloatArray]
    task: Task
    outputs: int
    library: str
    library_version: str
    link: Link = "identity"
    margin: Callable[[FloatArray], FloatArray] | None = None
    columns: Columns | None = None
    trees: Trees | None = None
    linear: LinearTerms | None = None
    notices: tuple[Notice, ...] = ()
    replica: Replica | None = None
