"""A model server that is asked over HTTP: one address, no redirects, one new try after a lost connection."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import orjson

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelFailed, ModelRefused, Problem
from explainer.formats.classifier import with_first_class
from explainer.records import FloatArray, LoadOrder, Manifest, Notice, RemoteSpec

MAX_ANSWER = 64 << 20  # bytes
ROWS_AT_ONCE = 2048
LONGEST_TIMEOUT_S = 600.0
_LOST = (ConnectionError, http.client.RemoteDisconnected, http.client.BadStatusLine, http.client.CannotSendRequest)


class ServerRefusedError(ModelFailed):
    """The server answered, with a status other than 200."""


def inspect_remote(manifest: Manifest) -> list[Problem]:
    """What is wrong with `[remote]`; nothing is sent."""
    spec = manifest.remote
    if spec is None:
        return [Problem("remote", "missing", "A remote model needs [remote] with url, model and timeout_s.")]
    found = []
    try:
        parts = urlsplit(spec.url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError as error:
        return [Problem("remote.url", "form", f"It is not an address: {error}.")]
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_fits or parts.query or parts.fragment:
        found.append(Problem("remote.url", "form", "It must be http://host[:port][/prefix] or https://..."))
    if parts.username or parts.password:
        found.append(Problem("remote.url", "secret", "It must hold no user name or password: manifests are readable."))
    if not spec.model or not spec.model.isprintable():
        found.append(Problem("remote.model", "form", "It must be the model's name on the server."))
    if not 0.0 < spec.timeout_s <= LONGEST_TIMEOUT_S:
        found.append(Problem("remote.timeout_s", "range", f"It must be above 0 and at most {LONGEST_TIMEOUT_S:g}."))
    return found


class Server:
    """Posts JSON to one server and reads JSON back. Not for use by two threads at once."""

    def __init__(self, spec: RemoteSpec, path: str, most: int = MAX_ANSWER) -> None:
        """`path` holds `{model}` where the model's name belongs; an answer has at most `most` bytes."""
        parts = urlsplit(spec.url)
        self.where = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/") + path.format(model=quote(spec.model, safe=""))
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(str(parts.hostname), parts.port, timeout=spec.timeout_s)
        self._timeout, self._most = spec.timeout_s, most

    def post(self, question: dict[str, Any]) -> dict[str, Any]:
        """The server's answer; raises ModelFailed naming what went wrong, ServerRefusedError for another status."""
        body = orjson.dumps(question)
        try:
            try:
                status, data = self._once(body)
            except _LOST:
                self._connection.close()
                status, data = self._once(body)
        except TimeoutError as error:
            self._connection.close()
            raise ModelFailed(f"{self.where} did not answer within {self._timeout:g} s.") from error
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ModelFailed(f"{self.where} cannot be asked: {type(error).__name__}: {error}") from error
        return self._read(status, data)

    def _once(self, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        data = answer.read(self._most + 1)
        if len(data) > self._most:
            self._connection.close()
        return answer.status, data

    def _read(self, status: int, data: bytes) -> dict[str, Any]:
        if len(data) > self._most:
            raise ModelFailed(f"{self.where} answered more than {self._most} bytes.")
        if status != 200:
            said = data[:200].decode("utf-8", "replace")
            redirect = " Redirects are not followed." if 300 <= status < 400 else ""
            raise ServerRefusedError(f"{self.where}{self._path} answered with status {status}: {said!r}.{redirect}")
        try:
            found = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise ModelFailed(f"{self.where} answered something that is not JSON: {error}.") from None
        if not isinstance(found, dict):
            raise ModelFailed(f"{self.where} answered JSON that is not an object.")
        return found


def in_batches(ask: Callable[[FloatArray], FloatArray]) -> Callable[[FloatArray], FloatArray]:
    """`ask` called with at most ROWS_AT_ONCE rows."""
    return lambda rows: np.concatenate([ask(rows[i : i + ROWS_AT_ONCE]) for i in range(0, len(rows), ROWS_AT_ONCE)])


def as_matrix(values: Any, rows: int, outputs: int, where: str) -> FloatArray:
    """A server's numbers as (rows, outputs); a binary classifier may answer its second class alone."""
    try:
        found = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError):
        raise ModelFailed(f"{where} answered something other than one row of numbers for each row.") from None
    if found.shape == (rows,):
        found = found.reshape(rows, 1)
    if outputs == 2 and found.shape == (rows, 1):
        found = with_first_class(found)
    if found.shape != (rows, outputs):
        raise ModelFailed(f"{where} answered shape {found.shape} where {(rows, outputs)} is due.")
    return found


def opened(predict: Callable[[FloatArray], FloatArray], order: LoadOrder, library: str, version: str) -> OpenedModel:
    """A remote model, once its first answers were seen to be probabilities rather than labels."""
    manifest = order.manifest
    outputs = max(1, len(manifest.classes))
    first = predict(order.background[:64])
    if manifest.task == "classification" and bool(np.isin(first, (0.0, 1.0)).all()):
        raise ModelRefused(
            "The server answers classes, not probabilities: every answer to the background is 0 or 1. "
            "Let it serve predict_proba."
        )
    notice = Notice(
        "remote-model",
        "The model runs on another server and may change there unseen; its golden rows are compared at each opening.",
    )
    return OpenedModel(predict, manifest.task, outputs, library, version, notices=(notice,))
