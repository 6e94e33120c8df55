"""A fitted scikit-learn estimator as an opened model: what it is fed, what it answers, what lies inside."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explainer.attribution.model import Columns, OpenedModel
from explainer.errors import ModelRefused
from explainer.formats.checked import refuse_missing
from explainer.formats.classifier import class_order, reordered
from explainer.formats.feed import Feed, feed_of
from explainer.formats.fitted import make_serial, unsound
from explainer.formats.structure import inside, pipeline
from explainer.formats.structure.tracks import NotPerColumnError
from explainer.records import FloatArray, LoadOrder, Manifest, Notice

AGREEMENT = 1e-9


def open_estimator(estimator: Any, order: LoadOrder, caught: Sequence[warnings.WarningMessage] = ()) -> OpenedModel:
    """The estimator behind functions over coded rows, with its structure where it is known.

    A pipeline whose steps act on each column by itself is rebuilt in numpy and proven equal; any other is called as
    it is, and a notice says why. `caught` are the warnings of opening it, passed on as notices.
    Raises ModelRefused when the estimator does not fit the manifest.
    """
    _refuse_unfit(estimator, order.manifest)
    make_serial(estimator)
    notices = tuple(Notice("library-warning", _one_line(w.message)) for w in caught if _matters(w))
    feed = feed_of(estimator, order.manifest)
    try:
        model = _opened(estimator, feed, order)
    except NotPerColumnError as reason:
        told = f"The pipeline is called as it is and explained as a black box: {reason}."
        model = _answers(estimator, order.manifest, feed.make)
        notices = (*notices, Notice("black-box-pipeline", told))
    model = dataclasses.replace(model, notices=(*notices, *model.notices))
    if order.manifest.task == "classification":
        model = reordered(model, class_order(list(estimator.classes_), order.manifest))
    return model


def _opened(estimator: Any, feed: Feed, order: LoadOrder) -> OpenedModel:
    """The model with all that is known of it; raises NotPerColumnError when it is a pipeline that mixes columns."""
    features, rows = order.manifest.features, pipeline.proving_rows(order.background, order.manifest.features)
    model = _answers(estimator, order.manifest, feed.make)
    refuse_missing(model.predict, order)
    final, asked, make = _final(estimator), estimator, feed.make
    if final is not estimator:
        steps = estimator[:-1]
        columns: Columns | None = pipeline.read(steps, _transform(steps, feed), features, feed.inputs, order.background)
    else:
        columns = feed.columns(final, features)
    encodes_itself = final is estimator and feed.labelled
    if columns is not None and not encodes_itself:
        quick = _shortcut(final, order.manifest, columns.encode, model, rows)
        if quick is not None:
            model, asked, make = quick, final, columns.encode
    model = dataclasses.replace(model, columns=columns)
    return inside.reveal(model, final, _margin(final, asked, make), rows)


def _transform(steps: Any, feed: Feed) -> Callable[[FloatArray], FloatArray]:
    def transform(rows: FloatArray) -> FloatArray:
        made = steps.transform(feed.make(rows))
        try:
            return np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=np.float64)
        except (ValueError, TypeError):
            raise NotPerColumnError("its preprocessing hands labels on to the last step") from None

    return transform


def _margin(final: Any, asked: Any, make: Callable[[FloatArray], Any]) -> Callable[[FloatArray], FloatArray]:
    """The final estimator's margin, asked of it or of the whole pipeline, which hands the question on to it."""
    library = type(final).__module__.partition(".")[0]

    def margin(rows: FloatArray) -> FloatArray:
        given = make(rows)
        if library == "xgboost":
            found = asked.predict(given, output_margin=True)
        elif library == "lightgbm":
            found = asked.predict(given, raw_score=True)
        else:
            found = asked.decision_function(given)
        return np.asarray(found, dtype=np.float64).reshape(len(rows), -1)

    return margin


def _refuse_unfit(estimator: Any, manifest: Manifest) -> None:
    method = "predict_proba" if manifest.task == "classification" else "predict"
    kind = type(estimator).__name__
    if not hasattr(estimator, method):
        advice = " Wrap it in CalibratedClassifierCV." if method == "predict_proba" else ""
        raise ModelRefused(f"{kind} has no {method}, which a model for {manifest.task} needs.{advice}")
    width = getattr(estimator, "n_features_in_", None)
    if width != len(manifest.features):
        known = "is not fitted or does not say how many features it takes" if width is None else f"takes {width}"
        raise ModelRefused(f"{kind} {known}; the manifest describes {len(manifest.features)} features.")
    if problems := unsound(estimator):
        raise ModelRefused(f"The model is not sound: {problems[0].detail}", problems=problems)
    if manifest.task == "classification" and isinstance(estimator.classes_, list):
        raise ModelRefused(f"{kind} answers several labels at once, which cannot be explained as one decision.")


def _matters(warning: warnings.WarningMessage) -> bool:
    return not issubclass(warning.category, (DeprecationWarning, PendingDeprecationWarning, ResourceWarning))


def _one_line(message: object) -> str:
    return re.sub(r"\s+", " ", str(message)).strip()


def _final(estimator: Any) -> Any:
    return estimator.steps[-1][1] if type(estimator).__name__ == "Pipeline" else estimator


def _answers(estimator: Any, manifest: Manifest, feed: Callable[[FloatArray], Any]) -> OpenedModel:
    """The estimator called as it is, its classes in its own order."""
    import sklearn

    if manifest.task == "classification":
        answer, outputs = estimator.predict_proba, len(estimator.classes_)
    else:
        answer, outputs = estimator.predict, 1

    def predict(rows: FloatArray) -> FloatArray:
        answered = np.asarray(answer(feed(rows)), dtype=np.float64)
        return answered.reshape(len(rows), -1)

    return OpenedModel(predict, manifest.task, outputs, "scikit-learn", sklearn.__version__)


def _shortcut(
    final: Any, manifest: Manifest, make: Callable[[FloatArray], FloatArray], whole: OpenedModel, rows: FloatArray
) -> OpenedModel | None:
    """The final estimator fed by our own columns, or None when it takes no such matrix and the whole one must run.

    Raises NotPerColumnError when it answers otherwise than the whole one does.
    """
    expected = whole.predict(rows)
    if "feature_names_in_" in vars(final):
        del final.feature_names_in_  # fed by arrays from here on, in the order that it was fitted with
    quick = _answers(final, manifest, make)
    try:
        found = quick.predict(rows)
    except (ValueError, TypeError):
        return None
    scale = max(1.0, float(np.abs(expected).max()))
    if not np.allclose(found, expected, rtol=0.0, atol=AGREEMENT * scale, equal_nan=True):
        raise NotPerColumnError("its last step answers otherwise when it is fed by columns made in numpy")
    return quick
