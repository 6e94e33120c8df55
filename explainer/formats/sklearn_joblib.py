"""scikit-learn models in joblib files, which run code when they are read: only under a verified signature."""

from __future__ import annotations

import pickle
import warnings
import zlib
from pathlib import Path
from typing import Any, ClassVar

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused, Problem
from explainer.formats.estimators import open_estimator
from explainer.formats.sizes import too_large
from explainer.records import LoadOrder, Manifest

MAX_BYTES = 2 << 30
_BROKEN = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, ImportError, OSError, EOFError, RuntimeError,
    MemoryError, pickle.UnpicklingError, zlib.error,
)  # fmt: skip


class SklearnJoblib:
    name: ClassVar[str] = "sklearn-joblib"
    summary: ClassVar[str] = "scikit-learn estimators saved by joblib or pickle; opened only under a signed manifest."
    needs_signature: ClassVar[bool] = True
    remote: ClassVar[bool] = False

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        return too_large(path, MAX_BYTES)

    def open(self, order: LoadOrder) -> OpenedModel:
        import joblib

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                estimator: Any = joblib.load(order.model_path)
            except _BROKEN as error:
                raise ModelRefused(f"joblib cannot read the model: {type(error).__name__}: {error}") from error
        return open_estimator(estimator, order, caught)


FORMAT = SklearnJoblib()
