"""Settings in, one checked matrix per row and class out, in the words of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explainer.attribution.engine import Engine
from explainer.attribution.engines import Engines
from explainer.attribution.interactions.pairing import Pairing
from explainer.attribution.reference import brought
from explainer.attribution.watch import Watch
from explainer.errors import InvalidOption, InvalidRows, ModelFailed
from explainer.records import ExplainOptions, Interactions
from tests.attribution.fakes import bent, manifest, mixed_rows, network, regression, subject, tree_model

TREES = subject(tree_model(), mixed_rows(20, 3, d=3))
FEW = subject(regression(bent), mixed_rows(20, 4))


def one(found: list[tuple[Interactions, ...]]) -> Interactions:
    ((only,),) = found
    return only


@pytest.mark.parametrize("space", ["raw", "log_odds", "probability"])
def test_rows_of_the_matrix_are_the_attributions(space: str) -> None:
    """The sums that the matrix takes apart are those that `explain` answers, and add up to the prediction."""
    rows, options = mixed_rows(3, 9, d=3), ExplainOptions(output=space, class_name="all")  # type: ignore[arg-type]
    pairs = Pairing(TREES, Watch()).explain(rows, options, manifest(TREES))
    plain = Engine(TREES).explain(rows, options, manifest(TREES))
    for found, told in zip(pairs, plain, strict=True):
        for f, e in zip(found, told, strict=True):
            assert np.allclose(f.values.sum(axis=1), e.attributions, rtol=0, atol=1e-9)
            assert (f.class_name, f.output) == (e.class_name, e.output)
            assert f.prediction == e.prediction
            assert f.expected_value == pytest.approx(e.expected_value)
            assert f.method.background == e.method.background
            assert f.method.exact
            assert f.method.additivity_gap == pytest.approx(0, abs=1e-9)


def test_a_black_box_is_sampled_with_errors() -> None:
    """A network's interactions lie within their errors of the enumerated ones; the answer says how it was got."""
    rows = np.nan_to_num(mixed_rows(2, 9))
    engine, of = Engine(network()), manifest(network())
    exact = engine.pairs.explain(rows, ExplainOptions(method="exact"), of)
    drawn = engine.pairs.explain(rows, ExplainOptions(method="permutation", max_evaluations=3_000), of)
    for (truth,), (found,) in zip(exact, drawn, strict=True):
        assert truth.method.exact
        assert not found.method.exact
        assert found.method.seed is not None
        assert (np.abs(found.values - truth.values) <= 5 * found.standard_errors + 1e-9).all()


def test_a_row_does_not_depend_on_its_company() -> None:
    """Each row alone has the bits that it has among others."""
    rows, options = mixed_rows(4, 9), ExplainOptions(method="permutation", max_evaluations=1_000)
    together = Pairing(FEW, Watch()).explain(rows, options, manifest(FEW))
    for i in (0, 3):
        alone = one(Pairing(FEW, Watch()).explain(rows[i : i + 1], options, manifest(FEW)))
        assert alone.values.tobytes() == together[i][0].values.tobytes()


def test_rows_of_a_request_are_the_background() -> None:
    """Interactions too are against the rows that a request brings; a row against itself has none."""
    row, rows = mixed_rows(1, 9), mixed_rows(3, 5)
    for given in (rows, row):
        options = ExplainOptions(background=brought(given))
        found = one(Engines(FEW).against(options.background).pairs.explain(row, options, manifest(FEW)))
        assert found.expected_value == pytest.approx(float(bent(given).mean()))
        assert found.values.any() == (given is rows)


def test_the_predicted_class_is_explained_where_none_is_declared() -> None:
    """Without a positive class each row's own leading class is meant."""
    declared = replace(manifest(TREES), positive_class=None)
    rows = mixed_rows(6, 11, d=3)
    found = [f.class_name for (f,) in Pairing(TREES, Watch()).explain(rows, ExplainOptions(), declared)]
    assert found == [("no", "yes")[int(p)] for p in TREES.model.predict(rows).argmax(axis=1)]
    assert len(set(found)) == 2


@pytest.mark.parametrize(
    "options", [ExplainOptions(method="lime"), ExplainOptions(background="other"), ExplainOptions(seed=-1)]
)
def test_settings_that_cannot_be_honoured_are_refused(options: ExplainOptions) -> None:
    """The setting is named, nothing is computed."""
    with pytest.raises(InvalidOption):
        Pairing(FEW, Watch()).explain(mixed_rows(1, 9), options, manifest(FEW))


def test_rows_of_another_width_are_refused() -> None:
    """A matrix that does not fit the model is no question."""
    with pytest.raises(InvalidRows, match="is due"):
        Pairing(FEW, Watch()).explain(np.zeros((1, 3)), ExplainOptions(), manifest(FEW))


def test_a_model_that_changes_its_mind_is_not_answered_for() -> None:
    """Where the matrix does not add up to the prediction, it is withheld."""
    drift = iter(range(10_000))
    moody = subject(regression(lambda x: bent(x) + next(drift)), mixed_rows(5, 4))
    with pytest.raises(ModelFailed, match="withheld"):
        Pairing(moody, Watch()).explain(mixed_rows(1, 9), ExplainOptions(), manifest(moody))
