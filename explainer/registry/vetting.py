"""Compares a background with the other rows that came with a model: golden rows and samples."""

from __future__ import annotations

import numpy as np

from explainer.attribution.vetting.shifted import FEWEST, shift
from explainer.records import FloatArray, Notice
from explainer.registry.candidate import SAMPLES, Candidate
from explainer.registry.rows import code_rows
from explainer.registry.tables import read_table


def background_findings(candidate: Candidate) -> tuple[Notice, ...]:
    """Return the finding `background-shifted` where the background differs from the other rows; costs well under 1 s.

    Nothing is found where fewer than FEWEST different rows came with the model.
    """
    features = candidate.manifest.features
    reference = np.unique(np.concatenate([candidate.golden_rows, _samples(candidate)]), axis=0)
    if len(reference) < FEWEST:
        return ()
    kinds = np.array([2 if f.type == "boolean" else len(f.categories) for f in features], dtype=np.int64)
    found = shift(candidate.background, reference, kinds)
    if not found.suspicious:
        return ()
    detail = (
        f"The background differs from the golden rows and samples, most in {features[found.feature].name}: by "
        f"{found.difference:.0%} of the rows, which chance does in at most one of {round(1 / found.chance)} cases. "
        "An attribution says how a row differs from the background: with another background it says something else."
    )
    return (Notice("background-shifted", detail),)


def _samples(candidate: Candidate) -> FloatArray:
    path, features = candidate.folder / SAMPLES, candidate.manifest.features
    if SAMPLES not in candidate.files:
        return np.empty((0, len(features)))
    return code_rows(features, [line.row for line in read_table(path, features)])
