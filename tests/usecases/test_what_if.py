"""What-if, what would change the outcome, similar rows, standing and stability, in a house of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explainer.access.budgets import Limits
from explainer.disclosure.levels import FULL
from explainer.errors import BudgetExhausted, InvalidOption, InvalidRows, NotPermitted, WorkerDied
from explainer.records import BackgroundSpec, DecisionSpec, ModelVersion
from explainer.registry.digests import bytes_digest
from explainer.registry.rows import code_rows
from explainer.reviews.counterfactuals import Limits as Search
from explainer.usecases import what_if as module
from explainer.usecases.deciding import are_adverse, scores_of
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller
from explainer.usecases.what_if import Decided, Memory
from tests.house import House
from tests.registry.folders import ROW

RANDOM = np.random.default_rng(1)
LINES = [
    f"{RANDOM.uniform(0, 20):.2f},{RANDOM.integers(1, 40)},{RANDOM.choice(['car', 'house', 'other'])},{i % 2}"
    for i in range(60)
]
CSV = ("amount,months,purpose,phone\n" + "\n".join(LINES) + "\n").encode()
SPEC = DecisionSpec(0.74, "granted", "declined")


@pytest.fixture
def version(house: House) -> ModelVersion:
    """A version with sixty background rows, whose digest no other test has met."""
    spec = BackgroundSpec("background.csv", 60, bytes_digest(CSV), f"sixty rows for {house.folder.name}")
    return house.register({"background.csv": CSV}, background=spec, decision=SPEC)


def decided(version: ModelVersion, **other: Any) -> Decided:
    return Decided(version, code_rows(version.manifest.features, [{**ROW, **other}])[0])


def told(house: House, what: str, at: Decided, *more: Any, caller: Caller | None = None) -> Any:
    """Call a part of the module inside an entry of its own."""
    caller = caller or house.caller("analyst")
    with recorded(house.rooms.ledger, caller, module.WHAT_IF) as note:
        given = (at, *more, note)
        return getattr(module, what)(house.rooms, house.serving, caller, *given)


def test_a_changed_row_is_predicted_and_explained(house: House, version: ModelVersion) -> None:
    """The answer is that of the changed row, in one entry without a value; no receipt, nothing cached."""
    found = told(house, "what_if", decided(version), {"purpose": "car", "amount": 0.0, "months": 24})
    assert found.changed == ("amount", "purpose")
    assert found.values == {"amount": 0.0, "months": 24, "purpose": "car", "phone": True}
    assert found.score == pytest.approx(0.5 + 0.1 * 24 / 25 + 0.05)
    assert found.outcome == "granted"
    assert found.explanation.prediction == pytest.approx(found.score)
    assert house.workers.asked[1:] == ["predict", "explain auto 1"]
    told(house, "what_if", decided(version), {"purpose": "car", "amount": 0.0})
    assert house.workers.asked[-1] == "explain auto 1"
    entry = house.entries()[0].entry
    assert (entry.event, entry.outcome) == ("api:decision:what-if", "answered")
    assert entry.body == {"changed": 2}
    assert not any("receipt" in e.entry.body for e in house.entries())


def test_what_may_not_change(house: House, version: ModelVersion) -> None:
    """An immutable feature is refused by name, as are values that the schema does not know; an equal value is none."""
    with pytest.raises(InvalidRows, match="phone: the model's owner declares that this cannot be changed") as refused:
        told(house, "what_if", decided(version), {"phone": False, "amount": 1.0})
    assert [(p.where, p.rule) for p in refused.value.problems] == [("changes.phone", "immutable")]
    with pytest.raises(InvalidRows, match="purpose"):
        told(house, "what_if", decided(version), {"purpose": "boat"})
    with pytest.raises(InvalidRows, match="colour"):
        told(house, "what_if", decided(version), {"colour": "red"})
    assert told(house, "what_if", decided(version), {"phone": True}).changed == ()
    missing = decided(version, phone=None)
    assert told(house, "what_if", missing, {"phone": None, "months": None}).changed == ("months",)


def test_what_if_is_charged_as_an_explanation(house: House, version: ModelVersion) -> None:
    """A changed row counts as a row that is explained; when the budget is used up it is refused."""
    house.rooms.budgets.set("analyst", "*", Limits(rows_day=2), "tests")
    for amount in (1.0, 2.0):
        told(house, "what_if", decided(version), {"amount": amount})
    with pytest.raises(BudgetExhausted):
        told(house, "what_if", decided(version), {"amount": 3.0})


@pytest.mark.parametrize("what", ["what_if", "outcome_changes", "stable", "similar_background", "standing"])
def test_who_sees_no_charts_sees_none_of_it(house: House, version: ModelVersion, what: str) -> None:
    """A role whose policy hides sizes is refused everywhere, before the model is asked; a wider policy opens it."""
    more = ({"amount": 1.0},) if what == "what_if" else ()
    caller, at = house.caller("application"), decided(version)
    if what == "standing":
        with pytest.raises(NotPermitted, match="explainer policies set"):
            module.standing(house.rooms, caller, at)
        return
    with pytest.raises(NotPermitted, match="explainer policies set"):
        told(house, what, at, *more, caller=caller)
    assert "predict" not in house.workers.asked
    house.rooms.policies.set("application", "credit", FULL, "tests")
    told(house, what, at, *more, caller=caller)


def test_what_would_change_the_outcome(house: House, version: ModelVersion) -> None:
    """Every answer leads to the other outcome by what the model itself says, and leaves the immutable value alone."""
    at = decided(version)
    found = told(house, "outcome_changes", at)
    assert len(found.answers) > 0
    for answer in found.answers:
        outputs = house.workers.predict(version.digest, answer.row[None])
        scores = scores_of(version.manifest, outputs)
        assert scores[0] == answer.score
        assert not are_adverse(SPEC, scores)[0]
        assert "phone" not in {c.feature for c in answer.changes}
    (entry,) = house.entries()
    assert entry.entry.body == {"evaluations": found.evaluations + 1, "answers": len(found.answers)}


def test_a_favourable_outcome_changes_the_other_way(house: House, version: ModelVersion) -> None:
    """For a row that was granted, changes are those that lead to a refusal; the case's own threshold counts."""
    at = decided(version, amount=0.0, purpose="car")
    assert all(a.score >= 0.74 for a in told(house, "outcome_changes", at).answers)
    own = Decided(version, at.row, DecisionSpec(0.6, "granted", "declined"))
    found = told(house, "outcome_changes", own)
    assert all(a.score < 0.6 for a in found.answers)


def test_evaluations_are_counted_and_rows_are_not(house: House, version: ModelVersion) -> None:
    """A search spends evaluations, as many as the model made, and no rows; when none are left nothing is asked."""
    house.rooms.budgets.set("analyst", "*", Limits(rows_day=1, evaluations_day=20_000), "tests")
    caller = house.caller("analyst")
    found = [told(house, "outcome_changes", decided(version), caller=caller) for _ in range(2)]
    steady = told(house, "stable", decided(version), caller=caller)
    left = house.rooms.budgets.left(caller.principal, "credit", version.digest)
    spent = sum(f.evaluations + 1 for f in found) + steady.evaluations + 1
    assert left is not None
    assert (left.name, left.remaining) == ("evaluations_day", 20_000 - spent)
    house.rooms.budgets.set("analyst", "*", Limits(evaluations_day=spent), "tests")
    with pytest.raises(BudgetExhausted):
        told(house, "outcome_changes", decided(version), caller=caller)


def test_limits_of_a_search(house: House, version: ModelVersion) -> None:
    """Whoever calls may set how much is looked at."""
    with recorded(house.rooms.ledger, house.caller("analyst"), module.CHANGES) as note:
        few = Search(most_evaluations=30, most_answers=1)
        caller, at = house.caller("analyst"), decided(version)
        found = module.outcome_changes(house.rooms, house.serving, caller, at, note, few)
    assert found.evaluations <= 30
    assert len(found.answers) <= 1


def test_no_decision_no_other_outcome(house: House) -> None:
    """A model without a decision has no outcome to change, and says so; what-if answers without one."""
    version = house.register(decision=None)
    with pytest.raises(InvalidOption, match=r"no \[decision\] table"):
        told(house, "outcome_changes", decided(version))
    assert told(house, "what_if", decided(version), {"amount": 1.0}).outcome is None


def test_similar_rows_of_the_background(house: House, version: ModelVersion) -> None:
    """The group's outcomes are the model's own; the background is predicted once, however often it is asked about."""
    at = decided(version)
    first, again = told(house, "similar_background", at), told(house, "similar_background", at)
    assert first == again
    assert first.count == 20
    assert 0 <= first.adverse <= 20
    assert house.workers.asked.count("predict") == 1


def test_memory_is_bounded(house: House, version: ModelVersion) -> None:
    """Backgrounds of the versions that were used last are kept, no others."""
    memory = Memory()
    for i in range(module.KEPT + 3):
        other = ModelVersion(version.manifest, f"digest-{i}", version.folder, version.registered_at)
        memory._put(other.digest, memory.of(house.rooms, version))
    assert len(memory._known) == module.KEPT
    assert f"digest-{module.KEPT + 2}" in memory._known


def test_where_the_values_stand(house: House, version: ModelVersion) -> None:
    """Every feature has its place among all sixty rows."""
    found = module.standing(house.rooms, house.caller("analyst"), decided(version))
    assert [s.feature for s in found] == ["amount", "months", "purpose", "phone"]
    assert all(s.rows == 60 for s in found)
    assert found[0].quantile == pytest.approx(12.5 / 20, abs=0.2)
    assert found[3].same is not None
    assert found[3].same.count == 30


def test_stability_of_the_outcome(house: House, version: ModelVersion) -> None:
    """A threshold a hair away makes an outcome unstable, one far away does not."""
    at = decided(version)
    score = told(house, "what_if", at, {}).score
    close = Decided(version, at.row, DecisionSpec(score - 1e-6, "granted", "declined"))
    assert told(house, "stable", close).unstable
    assert not told(house, "stable", Decided(version, at.row, DecisionSpec(0.6, "granted", "declined"))).unstable


def test_a_failing_model_is_an_entry(house: House, version: ModelVersion) -> None:
    """What the workers raise is raised, and the entry says that nothing was answered."""
    told(house, "what_if", decided(version), {})
    house.workers.failing = WorkerDied("The model's process ended.")
    with pytest.raises(WorkerDied):
        told(house, "outcome_changes", decided(version))
    assert [e.entry.outcome for e in house.entries()] == ["answered", "worker-died"]
