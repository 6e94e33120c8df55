"""Routes of the ledger: what they answer is enough to check it elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from explainer.api.ledger import CheckpointAnswer, ConsistencyAnswer, InclusionAnswer
from explainer.ledger.checking import check_proof
from explainer.ledger.notes import PublicKey, signed_by
from tests.api.test_document import fits
from tests.house import House

LEDGER = "/api/v1/ledger"


@pytest.fixture
def ask(house: House) -> Any:
    client, headers = house.client(), {"Authorization": f"Bearer {house.key('auditor')}"}
    return lambda path, **query: client.get(f"{LEDGER}/{path}", headers=headers, query_string=query)


def test_checkpoints_and_proofs_fit_together(ask: Any) -> None:
    """An auditor with nothing but the answers checks signature, entry and beginning; each question is an entry."""
    first, second = ask("checkpoint").json, ask("checkpoint").json
    fits(CheckpointAnswer, first)
    assert (first["size"], second["size"]) == (0, 1)
    third = ask("checkpoint").json
    notes = [signed_by(answer["note"], PublicKey.read(answer["key"])) for answer in (second, third)]
    entry = ask("entries/1/proof", size=2).json
    fits(InclusionAnswer, entry)
    assert check_proof(entry, notes)[0]
    assert '"event":"api:checkpoint:create"' in entry["written"]
    beginning = ask("consistency", first=1, second=2).json
    fits(ConsistencyAnswer, beginning)
    assert check_proof(beginning, notes)[0]
    assert ask("verify").json["root"] is not None


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("entries/99/proof", {}, 404),
        ("entries/1/proof", {"size": 99}, 422),
        ("entries/0/proof", {}, 422),
        ("entries/x/proof", {}, 422),
        ("entries/1/proof", {"sise": 1}, 422),
        ("consistency", {}, 422),
        ("consistency", {"first": 99}, 422),
        ("consistency", {"first": 2, "second": 1}, 422),
        ("consistency", {"first": 10**30}, 422),
    ],
)
def test_what_is_not_there_is_a_problem(ask: Any, path: str, query: dict[str, int], status: int) -> None:
    """No entry, no such tree, no number: each with its reason."""
    ask("checkpoint")
    ask("checkpoint")
    answer = ask(path, **query)
    assert answer.status_code == status, answer.data
    assert answer.json["status"] == status
