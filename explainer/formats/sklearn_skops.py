"""scikit-learn models in skops files: types are audited against a reviewed list before anything is built."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any, ClassVar

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused, Problem
from explainer.formats.archive import inspect_archive
from explainer.formats.estimators import open_estimator
from explainer.formats.sizes import too_large
from explainer.formats.skops_types import REVIEWED
from explainer.records import LoadOrder, Manifest

MAX_BYTES = 512 << 20
_BROKEN = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, ImportError, ArithmeticError, OSError, EOFError,
    RuntimeError, MemoryError, zipfile.BadZipFile,
)  # fmt: skip


class SklearnSkops:
    name: ClassVar[str] = "sklearn-skops"
    summary: ClassVar[str] = "scikit-learn estimators and pipelines saved by skops; data only, types audited."
    needs_signature: ClassVar[bool] = False
    remote: ClassVar[bool] = False

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        return too_large(path, MAX_BYTES) or inspect_archive(path) or _untrusted(path)

    def open(self, order: LoadOrder) -> OpenedModel:
        import skops.io

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                estimator: Any = skops.io.load(order.model_path, trusted=sorted(REVIEWED))
            except _BROKEN as error:
                raise ModelRefused(f"skops cannot build the model: {type(error).__name__}: {error}") from error
        return open_estimator(estimator, order, caught)


def _untrusted(path: Path) -> list[Problem]:
    import skops.io

    try:
        names = skops.io.get_untrusted_types(file=path)
    except _BROKEN as error:
        detail = f"skops cannot read its schema: {type(error).__name__}: {error}"
        return [Problem("model.file", "schema", detail)]
    refused = [n for n in names if n not in REVIEWED]
    if not refused:
        return []
    detail = (
        f"It holds types that were not reviewed as safe: {', '.join(refused)}. Leave them out of the model"
        " (neighbours: algorithm='brute'), or register it as a signed joblib model."
    )
    return [Problem("model.file", "types", detail)]


FORMAT = SklearnSkops()
