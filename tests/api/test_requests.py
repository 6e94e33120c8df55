"""The shapes of requests: what is accepted becomes options, everything else is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from explainer.api.requests import ExplainBody, ModelPath, PredictBody, ReceiptPath, VersionPath
from explainer.receipts.store import new_id
from explainer.records import ExplainOptions


def test_defaults_are_those_of_the_options() -> None:
    """A body with nothing but rows asks for exactly the default options."""
    assert ExplainBody.model_validate({"instances": [1]}).options() == ExplainOptions()


def test_every_setting_reaches_the_options() -> None:
    """Each field of the options can be set from outside, under its outside name."""
    given: dict[str, Any] = {
        "method": "lime",
        "output": "log_odds",
        "class": "bad",
        "background": "other",
        "top": 3,
        "tolerance": 0.5,
        "max_evaluations": 100,
        "deadline_ms": 200,
        "seed": 2**63 - 1,
    }
    options = ExplainBody.model_validate({"instances": [], **given}).options()
    assert options == ExplainOptions(**{("class_name" if k == "class" else k): v for k, v in given.items()})


def test_rows_as_background_are_handed_on_unread() -> None:
    """Rows stand beside the options, which name the default: only the model's schema can code them."""
    body = ExplainBody.model_validate({"instances": [1], "background": {"rows": [{"a": 1}]}})
    assert body.background_rows() == [{"a": 1}]
    assert body.options() == ExplainOptions()
    assert ExplainBody.model_validate({"instances": [1]}).background_rows() is None


def test_null_means_default() -> None:
    """A setting sent as null is a setting left out."""
    given = dict.fromkeys(["output", "class", "top", "tolerance", "max_evaluations", "deadline_ms", "seed"])
    assert ExplainBody.model_validate({"instances": [], **given}).options() == ExplainOptions()


@pytest.mark.parametrize(
    "wrong",
    [
        {"top": 0},
        {"top": 1.5},
        {"top": "3"},
        {"top": True},
        {"tolerance": 0},
        {"tolerance": -1},
        {"tolerance": 1e301},
        {"tolerance": "1"},
        {"max_evaluations": 0},
        {"deadline_ms": 0},
        {"deadline_ms": 600_001},
        {"seed": -1},
        {"seed": 2**63},
        {"method": None},
        {"method": "x" * 65},
        {"method": 3},
        {"output": "odds"},
        {"class": 1},
        {"background": "x" * 65},
        {"background": None},
        {"background": [[1]]},
        {"background": {}},
        {"background": {"rows": {}}},
        {"background": {"rows": [[1]], "name": "x"}},
        {"instances": {}},
        {"instances": "rows"},
        {"instances": None},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    """Nothing is converted, cut or ignored."""
    with pytest.raises(ValidationError):
        ExplainBody.model_validate({"instances": [], **wrong})


def test_predict_takes_rows_only() -> None:
    """A setting of explain has no meaning for predict and is refused."""
    with pytest.raises(ValidationError):
        PredictBody.model_validate({"instances": [], "method": "lime"})


@pytest.mark.parametrize("name", ["credit-gbm", "a", "0", "a" * 63])
@pytest.mark.parametrize("version", ["1", "1.0", "2026-11-24_b", "A" * 32])
def test_names_and_versions_of_the_registry_are_paths(name: str, version: str) -> None:
    """What the registry admits as a name can be asked for."""
    assert VersionPath(name=name, version=version).name == ModelPath(name=name).name == name


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ModelPath, {"name": "../etc"}),
        (ModelPath, {"name": "Credit"}),
        (ModelPath, {"name": "a" * 64}),
        (ModelPath, {"name": "a\n"}),
        (ModelPath, {"name": ""}),
        (VersionPath, {"name": "a", "version": ".."}),
        (VersionPath, {"name": "a", "version": "1/2"}),
        (VersionPath, {"name": "a", "version": "1\n"}),
        (ReceiptPath, {"id": "rcp_short"}),
        (ReceiptPath, {"id": "' OR 1=1 --"}),
        (ReceiptPath, {"id": "rcp_" + "0" * 26 + "\n"}),
    ],
)
def test_other_paths_are_refused(kind: type[BaseModel], given: dict[str, str]) -> None:
    """What cannot be a name never reaches a store."""
    with pytest.raises(ValidationError):
        kind.model_validate(given)


def test_receipts_that_are_made_can_be_asked_for() -> None:
    """Every id that the receipt store makes fits the path."""
    assert all(ReceiptPath(id=new_id()).id for _ in range(100))
