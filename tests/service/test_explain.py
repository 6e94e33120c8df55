"""The main job over HTTP: true, repeatable, in raw features, with a receipt."""

from __future__ import annotations

import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.service.conftest import Service, uncached_server

MODELS = ["credit-gbm", "credit-xgb", "credit-mlp", "diabetes-forest"]


def numbers(body: dict[str, Any]) -> list[Any]:
    """Everything in an answer that must be the same each time."""
    return [{k: v for k, v in e.items() if k not in {"cache", "receipt"}} for e in body["explanations"]]


@pytest.mark.parametrize("model", MODELS)
def test_attributions_are_raw_features_and_add_up(service: Service, model: str) -> None:
    """Attributions name the schema's features in order and add up to the prediction within the stated error."""
    schema = [f["name"] for f in service.call("GET", f"/api/v1/models/{model}").body["model"]["schema"]]
    answer = service.explain(model, service.samples(model)[:3])
    assert answer.status == 200, answer.body
    assert len(answer.body["explanations"]) == 3
    for e in answer.body["explanations"]:
        assert [a["feature"] for a in e["attributions"]] == schema
        total = e["expected_value"] + math.fsum(a["attribution"] for a in e["attributions"])
        allowed = 1e-6 * max(1.0, abs(e["prediction"]))
        if not e["method"]["exact"]:
            allowed += 4 * sum(a["standard_error"] for a in e["attributions"])
        assert abs(total - e["prediction"]) <= allowed
        assert e["method"]["reason"]
        assert e["receipt"].startswith("rcp_")


@pytest.mark.parametrize("model", MODELS)
def test_prediction_is_what_predict_says(service: Service, model: str) -> None:
    """explain and predict give one prediction for a row."""
    rows = service.samples(model)[:2]
    output = "raw" if model == "diabetes-forest" else "probability"
    explained = service.explain(model, rows, output=output).body["explanations"]
    predicted = service.call("POST", f"/api/v1/models/{model}/predict", {"instances": rows}).body["predictions"]
    for e, p in zip(explained, predicted, strict=True):
        assert e["prediction"] == pytest.approx(p["prediction"], abs=1e-6, rel=1e-6)


@pytest.mark.parametrize(
    ("model", "method"), [("credit-gbm", "tree"), ("credit-xgb", "tree"), ("diabetes-forest", "tree")]
)
def test_auto_takes_the_exact_tree_method(service: Service, model: str, method: str) -> None:
    """A tree ensemble in its margin, pipeline or not, is explained exactly, and the answer says by what and why."""
    output = "raw" if model == "diabetes-forest" else "log_odds"
    e = service.explain(model, service.samples(model)[:1], output=output).body["explanations"][0]
    assert e["method"]["name"] == method
    assert e["method"]["exact"] is True
    assert abs(e["method"]["additivity_gap"]) < 1e-6
    assert all(a["standard_error"] == 0 for a in e["attributions"])


def test_a_hit_is_bit_identical_to_a_miss(service: Service) -> None:
    """The second answer comes from the cache and carries the same numbers, to the bit, under the receipt they have."""
    row = service.samples("credit-mlp")[5]
    first = service.explain("credit-mlp", [row], seed=77)
    assert first.body["explanations"][0]["cache"] == "miss"
    for _ in range(50):  # another web process finds it once the first one's writer has been to the disk
        second = service.explain("credit-mlp", [row], seed=77)
        if second.body["explanations"][0]["cache"] == "hit":
            break
        time.sleep(0.05)
    assert second.body["explanations"][0]["cache"] == "hit"
    assert numbers(first.body) == numbers(second.body)
    assert first.body["explanations"][0]["receipt"] == second.body["explanations"][0]["receipt"]


@pytest.mark.parametrize("model", ["credit-gbm", "credit-mlp"])
@pytest.mark.parametrize("method", ["shap", "lime"])
def test_a_row_alone_or_in_company_gives_the_same_bits(uncached: Service, model: str, method: str) -> None:
    """Neither the other rows of a request nor their order change a row's numbers."""
    rows = uncached.samples(model)[6:9]
    together = numbers(uncached.explain(model, rows[::-1], method=method).body)[::-1]
    for row, expected in zip(rows, together, strict=True):
        alone = numbers(uncached.explain(model, [row], method=method).body)[0]
        assert {**alone, "row": 0} == {**expected, "row": 0}


def test_one_answer_across_restarts_and_workers(service: Service, tmp_path: Path) -> None:
    """The same request 100 times, without a cache, on fresh servers with several workers: one answer, to the bit."""
    seen: dict[str, set[str]] = {}
    asks = [(m, k) for m in MODELS for k in ("auto", "lime")]
    for _ in range(2):
        with uncached_server(service, tmp_path / "log") as other, ThreadPoolExecutor(4) as pool:
            for model, method in asks:
                row = service.samples(model)[3]
                jobs = [pool.submit(other.explain, model, [row], method=method) for _ in range(50)]
                answers = [job.result() for job in jobs]
                assert all(a.status == 200 for a in answers), answers[0].body
                assert all(a.body["explanations"][0]["cache"] == "miss" for a in answers)
                found = seen.setdefault(f"{model}/{method}", set())
                found |= {json.dumps(numbers(a.body), sort_keys=True) for a in answers}
    assert {ask: len(found) for ask, found in seen.items()} == {f"{m}/{k}": 1 for m, k in asks}


def test_readme_curl_line_works(service: Service) -> None:
    """The README's request, word for word, is answered."""
    text = Path("README.md").read_text()
    body = re.search(r"-d '(\{\"instances\".*?\})'\n", text)
    path = re.search(r"http://127.0.0.1:8080(/api/v1/\S+)", text)
    assert body
    assert path
    answer = service.call("POST", path[1], raw=body[1].encode())
    assert answer.status == 200, answer.body
    assert len(answer.body["explanations"][0]["attributions"]) == 19


def test_arrays_in_schema_order_are_the_same_rows(service: Service) -> None:
    """A row as an array gives what the same row as an object gives."""
    row = service.samples("credit-gbm")[2]
    as_object, as_array = (service.explain("credit-gbm", [r]).body for r in (row, list(row.values())))
    assert numbers(as_object) == numbers(as_array)


def test_every_class_can_be_asked_for(service: Service) -> None:
    """`class: all` gives both classes, whose probability attributions are opposite."""
    row = service.samples("credit-mlp")[0]
    first, second = service.explain("credit-mlp", [row], **{"class": "all"}).body["explanations"]
    assert [first["class"], second["class"]] == ["good", "bad"]
    assert first["prediction"] + second["prediction"] == pytest.approx(1)
    for a, b in zip(first["attributions"], second["attributions"], strict=True):
        assert a["attribution"] == pytest.approx(-b["attribution"], abs=1e-9)


def test_compare_gives_both_and_their_agreement(service: Service) -> None:
    """compare answers SHAP and LIME of the same rows with leading features, signs and rank correlation."""
    body = {"instances": service.samples("credit-gbm")[:2]}
    answer = service.call("POST", "/api/v1/models/credit-gbm/compare", body)
    assert answer.status == 200, answer.body
    assert [e["method"]["name"] for e in answer.body["lime"]] == ["lime", "lime"]
    assert all(e["lime"]["local_r2"] <= 1 and len(e["lime"]["rules"]) == 19 for e in answer.body["lime"])
    assert all(0 <= a["leading"] <= 1 for a in answer.body["agreement"])


def test_top_sums_the_rest(service: Service) -> None:
    """`top: 3` shows three features and the sum of the others, so that everything still adds up, and says so."""
    e = service.explain("credit-gbm", service.samples("credit-gbm")[:1], top=3).body["explanations"][0]
    assert len(e["attributions"]) == 3
    total = e["expected_value"] + sum(a["attribution"] for a in e["attributions"]) + e["other"]["attribution"]
    assert total == pytest.approx(e["prediction"], abs=1e-6)
    assert e["withheld"]


def test_a_tolerance_out_of_reach_is_said(service: Service) -> None:
    """When the budget ends before the tolerance is met, the answer says so and how far it came."""
    rows = service.samples("credit-mlp")[:1]
    e = service.explain("credit-mlp", rows, method="permutation", tolerance=1e-9, max_evaluations=3000).body[
        "explanations"
    ][0]
    assert {w["code"] for w in e["warnings"]} & {"tolerance-not-met", "budget-reached"}
    assert max(a["standard_error"] for a in e["attributions"]) > 0


def test_a_deadline_is_kept_and_not_cached(service: Service) -> None:
    """What a deadline cut short is answered with a warning, and computed anew the next time."""
    rows = service.samples("credit-mlp")[1:2]
    settings = {"method": "permutation", "tolerance": 1e-9, "deadline_ms": 60, "max_evaluations": 50_000_000}
    for _ in range(2):
        e = service.explain("credit-mlp", rows, **settings).body["explanations"][0]
        assert "deadline-reached" in {w["code"] for w in e["warnings"]}
        assert e["cache"] == "miss"


def test_receipts_can_be_read_and_replayed(service: Service) -> None:
    """A receipt shows what was answered; its replay gives the same numbers to the bit, over HTTP and in the shell."""
    for model in MODELS:
        answer = service.explain(model, service.samples(model)[:1]).body
        receipt = answer["explanations"][0]["receipt"]
        shown = service.call("GET", f"/api/v1/receipts/{receipt}").body["receipt"]
        assert shown["explanations"][0]["attributions"] == answer["explanations"][0]["attributions"]
        replayed = service.call("POST", f"/api/v1/receipts/{receipt}/replay").body
        assert replayed["identical"] is True, replayed
    done = service.run("replay", receipt)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_ledger_has_one_entry_for_every_request(service: Service) -> None:
    """Answered, refused or failed: one entry; and the chain verifies, over HTTP and in the shell."""
    rows = service.samples("credit-gbm")[:1]
    before = service.call("GET", "/api/v1/ledger/verify").body
    service.explain("credit-gbm", rows)
    service.explain("credit-gbm", [])
    service.explain("nobody", [])
    service.call("POST", "/api/v1/models/credit-gbm/explain", raw=b"{")
    service.call("POST", "/api/v1/models/credit-gbm/explain", {}, Authorization="Bearer wrong")
    after = service.call("GET", "/api/v1/ledger/verify").body
    assert after["ok"] is True
    assert after["entries"] - before["entries"] == 6
    assert service.run("ledger", "verify").returncode == 0
