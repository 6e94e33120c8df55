"""A server is asked at one address, within its time, and its answers are held to their shape."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from explainer.errors import ModelFailed
from explainer.formats import remote
from explainer.records import RemoteSpec
from tests.formats import orders
from tests.formats.servers import as_json, serving

SPEC = RemoteSpec("http://127.0.0.1:9", "a model/v1", 5.0)


def asked(url: str, timeout: float = 5.0) -> remote.Server:
    return remote.Server(dataclasses.replace(SPEC, url=url, timeout_s=timeout), "/v1/models/{model}:predict")


def test_the_models_name_is_quoted_behind_the_addresss_own_path() -> None:
    """A prefix of the address is kept, and a name with a slash stays one part of the path."""
    with serving(lambda body: as_json({"ok": body})) as told:
        assert asked(told.url + "/prefix/").post({"a": 1}) == {"ok": {"a": 1}}
    assert told.paths == ["/prefix/v1/models/a%20model%2Fv1:predict"]


def test_a_reset_connection_is_tried_once_more() -> None:
    """One lost connection is mended, two are a failure that names the server."""
    with serving(lambda body: as_json({})) as told:
        server = asked(told.url)
        told.resets = 1
        assert server.post({}) == {}
        told.resets = 2
        with pytest.raises(ModelFailed, match=r"127\.0\.0\.1"):
            server.post({})
        assert server.post({}) == {}


def test_a_server_that_does_not_answer_in_time_is_a_failure() -> None:
    """The time limit of the manifest ends the wait."""
    with serving(lambda body: as_json({})) as told:
        told.hold.clear()
        with pytest.raises(ModelFailed, match=r"within 0\.05 s"):
            asked(told.url, 0.05).post({})


def test_nobody_listening_is_a_failure() -> None:
    """A closed port is a failure in words."""
    with pytest.raises(ModelFailed, match="cannot be asked"):
        asked("http://127.0.0.1:9").post({})


@pytest.mark.parametrize("status", [301, 307, 404, 500])
def test_other_statuses_are_failures_and_redirects_are_not_followed(status: int) -> None:
    """Only 200 is an answer; a redirect to another host is told and left."""
    refused = pytest.raises(remote.ServerRefusedError, match=f"status {status}.*nope")
    with serving(lambda body: (status, b"nope")) as told, refused:
        asked(told.url).post({})
    assert len(told.paths) == 1


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}'])
def test_answers_that_are_no_json_object_are_failures(data: bytes) -> None:
    """Broken JSON, NaN, infinity and lists are not read."""
    with serving(lambda body: (200, data)) as told, pytest.raises(ModelFailed, match="JSON"):
        asked(told.url).post({})


def test_an_endless_answer_is_cut_off() -> None:
    """More bytes than the limit are a failure."""
    with serving(lambda body: as_json({"a": "x" * 200})) as told, pytest.raises(ModelFailed, match="more than 100"):
        remote.Server(dataclasses.replace(SPEC, url=told.url), "/{model}", most=100).post({})


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        (None, "remote"),
        (dataclasses.replace(SPEC, url="file:///etc/passwd"), "remote.url"),
        (dataclasses.replace(SPEC, url="http://"), "remote.url"),
        (dataclasses.replace(SPEC, url="http://host:99999"), "remote.url"),
        (dataclasses.replace(SPEC, url="http://user:secret@host"), "remote.url"),
        (dataclasses.replace(SPEC, url="http://host/?a=1"), "remote.url"),
        (dataclasses.replace(SPEC, model=""), "remote.model"),
        (dataclasses.replace(SPEC, model="a\nb"), "remote.model"),
        (dataclasses.replace(SPEC, timeout_s=0.0), "remote.timeout_s"),
        (dataclasses.replace(SPEC, timeout_s=1e9), "remote.timeout_s"),
    ],
)
def test_a_wrong_remote_section_is_found(spec: RemoteSpec | None, where: str) -> None:
    """Scheme, host, port, secrets, model name and time limit are checked before anything is sent."""
    found = remote.inspect_remote(orders.manifest("kserve-v1", remote=spec))
    assert [p.where for p in found] == [where]


def test_numbers_become_a_matrix_or_a_failure() -> None:
    """One number a row is one column, or both classes of a binary model; other shapes and text are failures."""
    assert remote.as_matrix([1, 2], 2, 1, "it").tolist() == [[1.0], [2.0]]
    assert remote.as_matrix([0.25], 1, 2, "it").tolist() == [[0.75, 0.25]]
    for wrong in ([1, 2, 3], [[1, 2], [3]], "text", None, [["a"], ["b"]]):
        with pytest.raises(ModelFailed, match="it answered"):
            remote.as_matrix(wrong, 2, 1, "it")


def test_many_rows_are_asked_in_batches() -> None:
    """No request has more rows than the limit, and the answers come back in order."""
    sizes: list[int] = []

    def ask(rows: np.ndarray) -> np.ndarray:
        sizes.append(len(rows))
        return rows[:, :1]

    rows = np.arange(2.0 * remote.ROWS_AT_ONCE + 10).reshape(-1, 2)
    assert np.array_equal(remote.in_batches(ask)(rows), rows[:, :1])
    assert max(sizes) <= remote.ROWS_AT_ONCE
