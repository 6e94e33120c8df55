"""Cohorts, interactions and importance of the demo models, over HTTP, from real workers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.service.conftest import Service


@pytest.mark.parametrize("model", ["credit-gbm", "credit-mlp", "diabetes-forest"])
def test_a_cohort_is_the_background_and_is_replayed(service: Service, model: str) -> None:
    """Attributions against rows of the request add up from the cohort's own mean; a replay is the same to the bit."""
    row, *cohort = service.samples(model)[:4]
    found = service.explain(model, [row], background={"rows": cohort})
    assert found.status == 200, found.body
    (item,) = found.body["explanations"]
    answer = service.call("POST", f"/api/v1/models/{model}/predict", {"instances": cohort}).body["predictions"]
    if item["output"] == "probability" or model == "diabetes-forest":
        assert item["expected_value"] == pytest.approx(math.fsum(p["prediction"] for p in answer) / 3, abs=1e-6)
    total = item["expected_value"] + math.fsum(a["attribution"] for a in item["attributions"])
    assert total == pytest.approx(item["prediction"], abs=1e-5)
    assert item["method"]["background"].startswith("rows:")
    again = service.explain(model, [row], background={"rows": cohort[::-1]}).body["explanations"][0]
    assert again["cache"] == "hit"
    replay = service.call("POST", f"/api/v1/receipts/{item['receipt']}/replay")
    assert replay.body["identical"] is True


def test_a_row_against_itself_has_no_reasons(service: Service) -> None:
    """With the row as its own baseline nothing differs, so nothing is attributed."""
    row = service.samples("credit-xgb")[0]
    (item,) = service.explain("credit-xgb", [row], background={"rows": [row]}).body["explanations"]
    assert all(a["attribution"] == 0.0 for a in item["attributions"])
    assert item["expected_value"] == pytest.approx(item["prediction"], abs=1e-6)


@pytest.mark.parametrize(
    ("model", "settings", "method"),
    [
        ("credit-gbm", {"output": "log_odds"}, "tree"),
        ("credit-gbm", {"output": "probability"}, "tree"),
        ("credit-mlp", {"max_evaluations": 20_000}, "permutation"),
        ("diabetes-forest", {}, "tree"),
    ],
)
def test_interactions_add_up_with_the_attributions(
    service: Service, model: str, settings: dict[str, Any], method: str
) -> None:
    """Main effects, pairs and the rest are the prediction; each feature's part is the attribution of `explain`."""
    row = service.samples(model)[0]
    found = service.call("POST", f"/api/v1/models/{model}/interactions", {"instances": [row], "top": 5, **settings})
    assert found.status == 200, found.body
    (item,) = found.body["interactions"]
    assert item["method"]["name"] == method
    assert len(item["interactions"]) == 5
    parts = [e["main_effect"] for e in item["main_effects"]] + [p["interaction"] for p in item["interactions"]]
    total = math.fsum([item["expected_value"], *parts, item["other"]["interaction"]])
    assert total == pytest.approx(item["prediction"], abs=1e-4 if method == "tree" else 0.2)
    if item["method"]["exact"]:
        told = service.explain(model, [row], output=item["output"]).body["explanations"][0]
        pairs = {e["feature"]: e["attribution"] for e in item["main_effects"]}
        assert {a["feature"]: a["attribution"] for a in told["attributions"]} == pytest.approx(pairs, abs=1e-9)
    else:
        assert all(p["standard_error"] > 0 for p in item["interactions"])


def test_importance_summarises_what_explain_answers(service: Service) -> None:
    """The means are those of the rows' own explanations, which are then in the cache."""
    rows = service.samples("credit-gbm")[:5]
    found = service.call("POST", "/api/v1/models/credit-gbm/importance", {"instances": rows, "points": True})
    assert found.status == 200, found.body
    (item,) = found.body["importance"]
    told = service.explain("credit-gbm", rows).body["explanations"]
    assert {t["cache"] for t in told} == {"hit"}
    for feature in item["features"]:
        own = [next(a for a in t["attributions"] if a["feature"] == feature["feature"]) for t in told]
        assert feature["attributions"] == [a["attribution"] for a in own]
        assert feature["values"] == [a["value"] for a in own]
        assert feature["mean_absolute"] == pytest.approx(math.fsum(abs(a["attribution"]) for a in own) / 5)
