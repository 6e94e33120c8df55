"""What a used service leaves on the disk is searched for the values of a person, before and after erasure."""

from __future__ import annotations

import base64
import http.client
import json
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from explainer.sealing import WRAPPED, MasterKeys, derived
from tests.attacks.service import Attacked, attacked
from tests.faults.models import prediction

SECRET = b"master key of these tests 32 by!"
SUBJECT = "citizen-4711-planted"
ROW = [731_904.257, 1.5, 2.25]  # its first value is planted
FORMS = (
    struct.pack("<d", ROW[0]),
    struct.pack(">d", ROW[0]),
    str(ROW[0]).encode(),
    SUBJECT.encode(),
    str(prediction(ROW)).encode(),
    struct.pack("<d", prediction(ROW)),
)


@dataclass(frozen=True)
class Used:
    """A service in use: what lay on the disk before and after somebody was erased, and what was said meanwhile."""

    before: dict[str, bytes]
    after: dict[str, bytes]
    erased: str
    receipts: list[str]
    gone: list[int]
    kept: int
    verified: int


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    settings = {"EXPLAINER_LOG_LEVEL": "DEBUG", "EXPLAINER_MASTER_KEY": base64.b64encode(SECRET).decode()}
    with attacked(tmp_path_factory.mktemp("rest"), **settings) as at:
        receipts = use(at)
        before = written(at)
        erased = command(at, "subjects", "erase", "-", given=SUBJECT).stdout
        gone = [get(at, f"/api/v1/receipts/{receipt}") for receipt in receipts[:-1]]
        kept = get(at, f"/api/v1/receipts/{receipts[-1]}")
        verified = command(at, "ledger", "verify").returncode
        yield Used(before, written(at), erased, receipts, gone, kept, verified)


def use(at: Attacked) -> list[str]:
    """Questions that are answered, cached, refused and malformed; the receipts of the subject and then another's."""
    found = []
    for body in (
        {"instances": [ROW], "subject": SUBJECT},
        {"instances": [ROW], "subject": SUBJECT},
        {"instances": [ROW], "subject": SUBJECT, "method": "lime"},
        {"instances": [ROW, [1.0, 2.0, 3.0]], "subject": SUBJECT, "background": {"rows": [ROW]}},
        {"instances": [[ROW[0], "text", 1.0]], "subject": SUBJECT},
        {"instances": [ROW], "subject": SUBJECT, "method": "no such"},
        {"instances": [[1.0, 1.0, 1.0]], "subject": "somebody else"},
    ):
        status, answer = post(at, "/api/v1/models/steady/explain", json.dumps(body).encode())
        if status == 200:
            found += [e["receipt"] for e in json.loads(answer)["explanations"]]
    post(at, "/api/v1/models/steady/explain", b'{"instances": [[' + str(ROW[0]).encode())
    get(at, f"/api/v1/models/steady?subject={SUBJECT[:4]}")
    time.sleep(1.5)  # the cache writes behind the answers
    return list(dict.fromkeys(found))


def written(at: Attacked) -> dict[str, bytes]:
    """Every file of the service and its log, but for the registered models."""
    paths = [p for p in at.var.rglob("*") if p.is_file() and "registry" not in p.relative_to(at.var).parts]
    return {p.name: p.read_bytes() for p in [*paths, at.log]}


def readable(files: dict[str, bytes]) -> list[tuple[str, bytes]]:
    return [(name, form) for name, data in files.items() for form in FORMS if form in data]


def ask(at: Attacked, verb: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", at.port, timeout=60)
    headers = {"Authorization": f"Bearer {at.key}", "Content-Type": "application/json"}
    connection.request(verb, path, body, headers)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def post(at: Attacked, path: str, body: bytes) -> tuple[int, bytes]:
    return ask(at, "POST", path, body)


def get(at: Attacked, path: str) -> int:
    return ask(at, "GET", path)[0]


def command(at: Attacked, *words: str, given: str = "") -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "explainer", *words],
        env=at.environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done


def opened(files: dict[str, bytes]) -> list[bytes]:
    """What an attacker with the records and the master key can open: every wrapped key that is found anywhere in the
    file and its log, free pages included, and everything that one of these keys opens, whatever it was bound to.

    The cache, whose entries are bound to rows and not to people, is searched in test_erased_answers.py."""
    head = b"\x01" + bytes.fromhex(MasterKeys([SECRET]).ids[0])
    keys, found = set(), []
    blobs = [data for name, data in files.items() if name.startswith("ledger.db")]
    for data in blobs:
        for match in re.finditer(re.escape(head), data):
            keys |= set(_unwrapped(data[match.start() : match.start() + WRAPPED]))
    for key in keys:
        sealed_by = b"\x01" + derived(key, "data key's id")[:4]
        for data in blobs:
            found += [_stream(key, data[m.start() : m.start() + 3000]) for m in re.finditer(re.escape(sealed_by), data)]
    return found


def _unwrapped(wrapped: bytes) -> Iterator[bytes]:
    """AES-GCM is a stream under its tag: whoever does not care for the tag needs no place."""
    head, nonce, sealed = wrapped[:25], wrapped[25:37], wrapped[37:69]
    if len(sealed) == 32:
        yield _keystream(derived(SECRET, "wrapping " + head.hex()), nonce, sealed)


def _stream(key: bytes, sealed: bytes) -> bytes:
    return _keystream(key, sealed[5:17], sealed[17:])


def _keystream(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    counter = nonce + (2).to_bytes(4, "big")
    decryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    return decryptor.update(sealed) + decryptor.finalize()


def test_no_value_lies_in_the_clear(used: Used) -> None:
    """Not in databases, their logs, the cache, or what the service printed at the level that says most."""
    assert {"ledger.db", "log"} <= set(used.before)
    assert any(name.startswith("cache-") for name in used.before)
    assert readable(used.before) == []
    assert readable(used.after) == []


def test_whoever_has_the_master_key_reads_them_before(used: Used) -> None:
    """The attack works: with the master key, rows and answers come out of the stolen files."""
    assert any(FORMS[0] in plain for plain in opened(used.before))


def test_after_erasure_nothing_brings_them_back(used: Used) -> None:
    """The same attack with all keys that remain finds nothing of the subject; another's receipt still opens."""
    assert "Erased" in used.erased
    assert used.gone == [404] * len(used.gone)
    assert len(used.gone) == 4
    plain = opened(used.after)
    assert not any(form in one for one in plain for form in FORMS)
    assert any(struct.pack("<ddd", 1.0, 1.0, 1.0) in one for one in plain)
    assert used.kept == 200


def test_the_ledger_verifies_and_holds_no_value(used: Used) -> None:
    """Entries of answers that were erased stand as they were."""
    assert used.verified == 0


def test_the_attack_uses_the_cipher_as_it_is() -> None:
    """Without its tag AES-GCM is the stream that the attack takes it for; with a wrong tag it refuses."""
    sealed = AESGCM(SECRET).encrypt(b"n" * 12, b"plain", b"place")
    assert _keystream(SECRET, b"n" * 12, sealed)[:5] == b"plain"
    with pytest.raises(InvalidTag):
        AESGCM(SECRET).decrypt(b"n" * 12, sealed, b"another place")
