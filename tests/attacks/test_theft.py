"""An attacker with an application's key, who knows the policy and the budget, takes what can be taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson

from benchmarks.theft.__main__ import POINTS
from benchmarks.theft.answers import Pool
from benchmarks.theft.clones import agreement, stolen
from explainer.access.budgets import USUAL, Limits
from explainer.disclosure.levels import POLICIES
from tests.house import House
from tests.registry.folders import ROW
from tests.usecases.test_again import client, post

RESULTS = Path(__file__).parents[2] / "benchmarks/results/theft.txt"
MODEL = "/api/v1/models/credit"


def wavy(rows: np.ndarray) -> np.ndarray:
    """What each of eight numbers adds to the margin: bent, so that no straight line fits."""
    return np.sin(1.7 * rows + np.arange(8)) * np.linspace(1.2, 0.2, 8)


def answered(count: int, seed: int) -> Pool:
    rows = np.random.default_rng(seed).normal(size=(count, 8))
    parts = wavy(rows)
    middle = wavy(np.random.default_rng(99).normal(size=(2000, 8))).mean(axis=0)
    return Pool(rows, parts.sum(axis=1), parts - middle, (0,) * 8, 0.0)


def test_every_digit_is_worth_more_to_a_thief_than_reasons() -> None:
    """The attack works where nothing is held back; of a small additive model, the worst case, reasons give less."""
    top = POLICIES["application"].most
    assert top is not None
    judged, gains = answered(2000, 1000), {"reasons": 0.0, "full": 0.0}
    for seed in range(3):
        told = answered(300, seed)
        alone = agreement(stolen(told, "nothing", True, top), judged)
        for shown in ("reasons", "full"):
            gains[shown] += (agreement(stolen(told, shown, True, top), judged) - alone) / 3  # type: ignore[arg-type]
    assert gains["full"] > 0.02
    assert gains["reasons"] < 0.75 * gains["full"]


def test_what_was_measured_is_what_the_program_does() -> None:
    """The kept curves are of today's policy and budget; on no demo model do reasons add more than a point anywhere."""
    text = RESULTS.read_text()
    policy, budget = POLICIES["application"], USUAL["application"].distinct_version
    assert f"scores and {policy.most} reasons, {budget} distinct rows" in text
    lines = [line.split() for line in text.splitlines() if "+-" in line]
    assert len(lines) == 3 * len(POINTS)
    assert {int(line[0]) for line in lines} == set(POINTS)
    assert POINTS[-1] == budget
    assert [line for line in lines if float(line[-2]) > 1.0] == []


def test_no_door_tells_an_application_a_size(house: House) -> None:
    """Every setting and every route that an application's key can reach: no attribution is in any answer."""
    house.register()
    house.rooms.budgets.set("application", "*", Limits(), "tests")
    at, key = client(house), house.key("application")
    full = post(at, house.key("analyst"), {"instances": [ROW], "class": "all"}).json["explanations"]
    sizes = {abs(a["attribution"]) for e in full for a in e["attributions"]} - {0.0}
    settings = [
        {},
        {"method": "lime"},
        {"method": "exact"},
        {"class": "all"},
        {"top": 1},
        {"output": "raw"},
        {"seed": 3},
    ]
    settings += [{"background": {"rows": [ROW]}}]
    answers = [
        post(at, key, {"instances": [ROW], **chosen}, f"{MODEL}/{what}")
        for chosen in settings
        for what in ("explain", "compare", "importance", "interactions")
    ]
    receipt = answers[0].json["explanations"][0]["receipt"]
    answers.append(at.get(f"/api/v1/receipts/{receipt}", headers={"Authorization": f"Bearer {key}"}))
    answers.append(post(at, key, {}, f"/api/v1/receipts/{receipt}/replay"))
    answers.append(post(at, key, {"model": "credit", "instances": [ROW]}, "/api/v1/exports"))
    assert sum(answer.status_code == 200 for answer in answers) >= 2 * len(settings)
    for answer in answers:
        assert not [n for n in numbers(orjson.loads(answer.data)) if abs(n) in sizes], answer.text
        if answer.status_code == 200:
            assert not [w for w in ("lime", "expected_value") if f'"{w}":{{' in answer.text]


def numbers(found: object) -> list[float]:
    """Every number in an answer."""
    if isinstance(found, dict):
        return [n for value in found.values() for n in numbers(value)]
    if isinstance(found, list):
        return [n for value in found for n in numbers(value)]
    return [found] if isinstance(found, float) else []


def test_a_key_stops_at_its_budget_by_every_door(house: House) -> None:
    """Predict, explain and compare share one count; what was refused gave nothing."""
    house.register()
    house.rooms.budgets.set("application", "*", Limits(distinct_version=20), "tests")
    at, key = client(house), house.key("application")
    given = 0
    for i in range(60):
        rows = [{**ROW, "amount": float(i)}]
        answer = post(at, key, {"instances": rows}, f"{MODEL}/{('predict', 'explain', 'compare')[i % 3]}")
        given += answer.status_code == 200
        assert answer.status_code in (200, 429)
    assert given == 20
