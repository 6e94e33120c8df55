"""After a person was erased the cache of a running service is searched for the answers about that person."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attacks.service import Attacked, attacked
from tests.attacks.test_at_rest import command, post, written
from tests.faults.models import prediction

SUBJECT = "citizen-4711-planted"
ROW, OTHERS = [731_904.257, 1.5, 2.25], [615_003.125, 1.0, 1.0]


@dataclass(frozen=True)
class Erased:
    """What lay in the cache before and after, in the clear, and how the same questions were answered then."""

    before: bytes
    after: bytes
    hit_before: str
    hit_after: str
    others_after: str


def ask(at: Attacked, row: list[float], subject: str | None = None) -> str:
    """Whether the answer was a hit or a miss."""
    body = {"instances": [row]} | ({"subject": subject} if subject else {})
    status, answer = post(at, "/api/v1/models/steady/explain", json.dumps(body).encode())
    assert status == 200, answer
    return str(json.loads(answer)["explanations"][0]["cache"])


def cache(at: Attacked) -> bytes:
    return b"".join(data for name, data in written(at).items() if name.startswith("cache"))


def planted(row: list[float]) -> bytes:
    return str(prediction(row)).encode()


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erased]:
    """Without a master key, so that whatever stays can be read."""
    folder: Path = tmp_path_factory.mktemp("erased")
    with attacked(folder, EXPLAINER_ANSWER_MEMORY_MB="0") as at:
        ask(at, ROW, SUBJECT)
        ask(at, OTHERS, "somebody else")
        hit = ask(at, ROW, SUBJECT)
        time.sleep(1.5)  # the cache writes behind the answers
        before = cache(at)
        command(at, "subjects", "erase", "-", given=SUBJECT)
        after = cache(at)
        yield Erased(before, after, hit, ask(at, ROW), ask(at, OTHERS))


def test_the_attack_works_before(erased: Erased) -> None:
    """The answers about both are read out of the stolen cache."""
    assert planted(ROW) in erased.before
    assert planted(OTHERS) in erased.before
    assert erased.hit_before == "hit"


def test_nothing_of_the_person_is_left(erased: Erased) -> None:
    """Neither in the file, nor in free pages, nor in its log; the other person's answer is there."""
    assert planted(ROW) not in erased.after
    assert planted(OTHERS) in erased.after


def test_the_running_service_does_not_know_it_either(erased: Erased) -> None:
    """The command is another process than the one that answers: the same question is computed anew."""
    assert erased.hit_after == "miss"
    assert erased.others_after == "hit"
