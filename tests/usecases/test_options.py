"""Which settings a model can honour."""

from __future__ import annotations

from typing import Any

import pytest

from explainer.errors import InvalidOption
from explainer.records import ExplainOptions
from explainer.usecases.options import check_options
from tests.registry.folders import REPORT, manifest

CLASSES = manifest()
NUMBER = manifest(task="regression", classes=(), positive_class=None, output="raw", decision=None)


@pytest.mark.parametrize("method", ["auto", "shap", "lime", "exact"])
@pytest.mark.parametrize("output", [None, "probability", "log_odds", "raw"])
@pytest.mark.parametrize("class_name", [None, "bad", "good", "all"])
def test_what_fits_is_accepted(method: str, output: Any, class_name: str | None) -> None:
    """Families, the model's own methods, every output and class of a classifier."""
    check_options(ExplainOptions(method=method, output=output, class_name=class_name), CLASSES, REPORT)


@pytest.mark.parametrize(
    ("settings", "where", "offers"),
    [
        ({"method": "tree"}, "method", "auto, shap, lime, exact"),
        ({"method": ""}, "method", "exact"),
        ({"background": "mine"}, "background", "default"),
        ({"class_name": "ugly"}, "class", "bad, good, all"),
        ({"class_name": ""}, "class", "bad"),
    ],
)
def test_what_does_not_is_refused_with_what_would(settings: dict[str, Any], where: str, offers: str) -> None:
    """The setting is named under its outside name, with everything that would be accepted."""
    with pytest.raises(InvalidOption, match=offers) as caught:
        check_options(ExplainOptions(**settings), CLASSES, REPORT)
    assert [(p.where, p.rule) for p in caught.value.problems] == [(where, "one-of")]


@pytest.mark.parametrize("settings", [{"output": "probability"}, {"output": "log_odds"}, {"class_name": "bad"}])
def test_a_regression_has_neither_classes_nor_odds(settings: dict[str, Any]) -> None:
    """Only its own output exists."""
    check_options(ExplainOptions(output="raw"), NUMBER, REPORT)
    with pytest.raises(InvalidOption):
        check_options(ExplainOptions(**settings), NUMBER, REPORT)
