"""Clients that ask without pause and judge every answer: right, wrong, refused in words, or cut off."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import math
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from tests.faults import models

COUNT = itertools.count()
POLITE = {408, 409, 429, 502, 503, 504}


@dataclass
class Client:
    """One kept connection; whatever goes wrong with it is told, never retried."""

    port: int
    key: str
    connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Status and document; raises OSError or HTTPException when the connection breaks."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            self.connection.request("POST", path, json.dumps(body), headers)
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


@dataclass
class Load:
    """A context in which `clients` ask for explanations of the steady model, every row another one."""

    port: int
    key: str
    clients: int = 4
    model: str = "steady"
    right: list[float] = field(default_factory=list)  # when they were given
    receipts: list[str] = field(default_factory=list)
    wrong: list[Any] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Load:
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(40)
        assert not any(thread.is_alive() for thread in self._threads), "a request was never answered"

    def answered_after(self, moment: float) -> bool:
        return any(at > moment for at in self.right[-self.clients * 4 :])

    def _ask(self) -> None:
        client = Client(self.port, self.key)
        while not self._over.is_set():
            number = next(COUNT)
            row = [number / 7, (number % 101) / 3, -(number % 13) / 9]
            try:
                status, answer = client.post(f"/api/v1/models/{self.model}/explain", {"instances": [row]})
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(f"{type(error).__name__}: {error}")
                time.sleep(0.05)
                continue
            self._judge(row, status, answer)
        client.close()

    def _judge(self, row: list[float], status: int, answer: dict[str, Any]) -> None:
        if status == 200 and is_right(row, answer):
            self.right.append(time.monotonic())
            self.receipts.append(answer["explanations"][0]["receipt"])
        elif status in POLITE and is_clear(status, answer):
            self.refused.append((status, answer["code"]))
            time.sleep(0.02)
        else:
            self.wrong.append((row, status, answer))


def is_right(row: list[float], answer: dict[str, Any]) -> bool:
    """Whether prediction and attributions are those of the steady model, to 1e-9."""
    (found,) = answer["explanations"]
    given = [a["attribution"] for a in found["attributions"]]
    values = [a["value"] for a in found["attributions"]]
    wanted = [*models.attributions(row), models.prediction(row)]
    close = (
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
        for a, b in zip([*given, found["prediction"]], wanted, strict=True)
    )
    return values == row and all(close)


def is_clear(status: int, answer: dict[str, Any]) -> bool:
    """Whether a refusal says in the agreed form what happened."""
    return answer.get("status") == status and all(
        answer.get(k) for k in ("type", "title", "code", "detail", "request_id")
    )


def all_found(port: int, key: str, receipts: list[str]) -> list[str]:
    """Those receipts that the service no longer has."""
    missing = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        for receipt in receipts:
            connection.request("GET", f"/api/v1/receipts/{receipt}", headers={"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                missing.append(f"{receipt}: {answer.status}")
    return missing
