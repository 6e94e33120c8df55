"""Exact Shapley values of a linear model in closed form: coefficient times distance from the background's mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.model import Columns, LinearTerms, OpenedModel
from explainer.attribution.ports import Ask, Attributions, Subject, Suitability
from explainer.records import FloatArray

SPACES = {"identity": ("raw",), "logistic": ("raw", "log_odds"), "softmax": ("raw",)}


@dataclass(frozen=True, slots=True)
class PreparedLinear:
    """`coefficients` (columns, outputs) and `intercept` (outputs,) of the outputs asked for; `mean` (columns,)."""

    columns: Columns
    coefficients: FloatArray
    intercept: FloatArray
    mean: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """phi_i = sum over the columns c of feature i of coefficient_c (x_c - mean_c); no model row is evaluated.

        Lundberg and Lee 2017, corollary 1, with the columns of one feature taken together as one player.
        """
        encoded = self.columns.encode(rows)
        shares = (encoded - self.mean)[:, :, None] * self.coefficients
        values = np.zeros((len(rows), rows.shape[1], len(self.intercept)))
        for column, feature in enumerate(self.columns.owner):
            values[:, feature] += shares[:, column]
        expected = self.intercept + (self.mean[:, None] * self.coefficients).sum(axis=0)
        return Attributions(
            values=values,
            standard_errors=np.zeros_like(values),
            expected=np.tile(expected, (len(rows), 1)),
            predictions=self.intercept + (encoded[:, :, None] * self.coefficients).sum(axis=1),
            evaluations=np.zeros(len(rows), dtype=np.int64),
            exact=True,
            additive=True,
        )


class Linear:
    name: ClassVar[str] = "linear"
    version: ClassVar[int] = 1
    family: ClassVar[Literal["shap", "lime"]] = "shap"
    rung: ClassVar[int] = 10
    summary: ClassVar[str] = "Closed form for linear and logistic models: exact and at once, in raw or log-odds output."

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        model = subject.model
        if model.linear is None or model.columns is None:
            return Suitability(fits=False, exact=True, why="The model is not known to be linear.")
        spaces = SPACES[model.link] if model.outputs <= 2 else ("raw",)
        if ask.space not in spaces:
            why = f"The model is linear in output {' or '.join(spaces)}, not in {ask.space}."
            return Suitability(fits=False, exact=True, why=why)
        why = f"The model is linear in output {ask.space}, so the closed form is exact."
        return Suitability(fits=True, exact=True, why=why)

    def prepare(self, subject: Subject, ask: Ask) -> PreparedLinear:
        """Raises ValueError when the model is not linear: `suits` says so first."""
        model, background = subject.model, subject.background
        if model.linear is None or model.columns is None:
            raise ValueError("The linear method needs a model with linear terms and columns.")
        terms = _per_output(model, model.linear)
        encoded = model.columns.encode(background.rows)
        mean = (background.weights[:, None] * encoded).sum(axis=0)
        picked = list(ask.outputs)
        return PreparedLinear(model.columns, terms.coefficients[:, picked], terms.intercept[picked], mean)


def _per_output(model: OpenedModel, terms: LinearTerms) -> LinearTerms:
    """A binary model's single margin belongs to class 1; class 0 has its negative."""
    single = terms.coefficients.shape[1] == 1
    if not (single and model.task == "classification"):
        return terms
    signs = np.array([-1.0, 1.0])
    return LinearTerms(terms.coefficients * signs, terms.intercept * signs)


METHOD = Linear()
