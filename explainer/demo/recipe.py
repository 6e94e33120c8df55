"""What a recipe is: how one demonstration model is trained, saved and described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from explainer.demo.datasets import Dataset
from explainer.records import DecisionSpec, FloatArray, OutputSpace, Task

VERSION = "1.0"
OWNER = "The explainer project (demonstration)"
MODEL_LICENSE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted model: `predict` takes coded rows (n, features) and gives (n, classes) or (n, 1)."""

    predict: Callable[[FloatArray], FloatArray]
    save: Callable[[Path], None]
    library_version: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """One model. Files in `recipes/` end with `RECIPE = ...` of this form and are found by scanning."""

    name: str
    format: str
    file: str
    library: str
    task: Task
    output: OutputSpace
    classes: tuple[str, ...]
    positive_class: str | None
    decision: DecisionSpec | None
    dataset: Callable[[], Dataset]
    train: Callable[[Dataset], Trained]
    kind: str  # what the model is, in a few words, for the card
    training: str  # how it was made and its settings chosen, for the card
    purpose: str
    flaws: tuple[str, ...]  # of the data
    misuse: tuple[str, ...]
    order: int  # the first finished model is the first that can be tried
