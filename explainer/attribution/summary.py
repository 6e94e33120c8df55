"""What the attributions of many rows say together: how much each feature moves the output, with an error."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class Importance:
    """One feature over n rows; errors are those of the means, None where n is 1 or an error is unknown."""

    mean_absolute: float
    standard_error: float | None
    mean: float
    mean_standard_error: float | None
    share_positive: float
    sampling_error: float | None  # the part of both errors that comes from sampling attributions, not from the rows


def summarised(values: FloatArray, errors: FloatArray, *, shared_seed: bool = False) -> list[Importance]:
    """One Importance per feature from attributions and their standard errors (n, features), NaN where unknown.

    The rows count as a random sample: the error of a mean is the spread between rows over the root of n. Where each row
    is sampled by a seed of its own, that spread holds the sampling's already, and is at least that. With `shared_seed`
    the rows' sampling errors may go together, so their mean is added (in squares). Raises ValueError without rows.
    """
    if len(values) == 0:
        raise ValueError("An importance needs at least one row.")
    return [_one(values[:, i], errors[:, i], shared_seed) for i in range(values.shape[1])]


def _one(values: FloatArray, errors: FloatArray, shared_seed: bool) -> Importance:
    n = len(values)
    sampling = float(errors.mean()) if shared_seed else sqrt(float((errors**2).sum())) / n
    known = sampling if np.isfinite(sampling) else None
    return Importance(
        mean_absolute=float(np.abs(values).mean()),
        standard_error=_folded(np.abs(values), known, shared_seed),
        mean=float(values.mean()),
        mean_standard_error=_folded(values, known, shared_seed),
        share_positive=float((values > 0).mean()),
        sampling_error=known,
    )


def _folded(values: FloatArray, sampling: float | None, shared_seed: bool) -> float | None:
    if len(values) < 2 or sampling is None:
        return None
    rows = float(values.std(ddof=1)) / sqrt(len(values))
    return sqrt(rows**2 + sampling**2) if shared_seed else max(rows, sampling)
