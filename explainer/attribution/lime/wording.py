"""The rule, in words, that a weight of LIME belongs to."""

from __future__ import annotations

import numpy as np

from explainer.attribution.lime.partition import Partition
from explainer.attribution.ports import Subject
from explainer.records import FloatArray


def rules(space: Partition, subject: Subject, row: FloatArray) -> tuple[str, ...]:
    """What holds for each feature of `row` (features,): `12 < duration_months <= 24`, `housing = own`,
    `amount_dm is missing`; a feature without cells is named alone."""
    celled = set(space.celled.tolist())
    return tuple(
        _rule(name, space.borders[j], subject.labels[j], float(row[j])) if j in celled else name
        for j, name in enumerate(subject.names)
    )


def _rule(name: str, borders: FloatArray | None, labels: tuple[str, ...], value: float) -> str:
    if np.isnan(value):
        return f"{name} is missing"
    if borders is None:
        return f"{name} = {labels[int(value)] if int(value) < len(labels) else int(value)}"
    return _between(name, _texts(borders), int(np.searchsorted(borders, value)))


def _between(name: str, borders: list[str], cell: int) -> str:
    if not borders:
        return f"{name} is not missing"
    if cell == 0:
        return f"{name} <= {borders[0]}"
    if cell == len(borders):
        return f"{name} > {borders[-1]}"
    return f"{borders[cell - 1]} < {name} <= {borders[cell]}"


def _texts(borders: FloatArray) -> list[str]:
    """The borders with the fewest digits, six or more, that tell them apart."""
    for digits in range(6, 17):
        texts = [f"{border:.{digits}g}" for border in borders]
        if len(set(texts)) == len(texts):
            return texts
    return [repr(float(border)) for border in borders]
