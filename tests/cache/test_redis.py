"""Proves that the shared tier answers what was put or nothing, and that its loss costs one short wait."""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("redis", reason="the Python package `redis` is missing: pip install 'explainer[redis]'")

from redis import Redis

from explainer.cache.cover import Sealed
from explainer.cache.lifetime import Lifetime, now_ms
from explainer.cache.memory import MemoryTier
from explainer.cache.ports import Entry
from explainer.cache.redis import PREFIX, RedisBehind, RedisTier
from explainer.cache.tiers import Cache
from explainer.sealing import MasterKeys
from explainer.settings import SettingsError
from tests.cache.conftest import OwnRedis
from tests.cache.plain import get, put

OLD, NEW = bytes(range(32)), bytes(range(100, 132))
PATIENT = {"timeout_s": 2.0, "retry_s": 0.05}  # a slow machine is no lost Redis


def key_of(i: int) -> bytes:
    return i.to_bytes(32, "big")


def value_of(i: int) -> bytes:
    return random.Random(i).randbytes(20 + 97 * i % 3000)


def until(condition: object) -> bool:
    """Whether the condition came true within ten seconds."""
    for _ in range(500):
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def raw(redis_server: OwnRedis) -> Iterator[Redis]:
    client = Redis.from_url(redis_server.url)
    yield client
    client.close()


def test_two_hosts_see_each_others_answers_at_once(redis_server: OwnRedis) -> None:
    """What one puts another gets, byte for byte, in any number; unknown keys are absent."""
    one, two = RedisTier(redis_server.url, **PATIENT), RedisTier(redis_server.url, **PATIENT)
    put(one, {key_of(i): value_of(i) for i in range(700)})
    assert get(two, [key_of(i) for i in range(800)]) == {key_of(i): value_of(i) for i in range(700)}
    two.remove([key_of(0)])
    assert get(one, [key_of(0), key_of(1)]) == {key_of(1): value_of(1)}
    assert (two.stats()["hits"], two.stats()["misses"], two.stats()["up"]) == (700, 100, 1)
    assert two.stats()["bytes"] > 700 * 1000


def test_entries_end_by_themselves(redis_server: OwnRedis, raw: Redis) -> None:
    """Redis removes an entry when its time, counted from when it was computed, is over; without a bound it stays."""
    tier = RedisTier(redis_server.url, lifetime=Lifetime(60), **PATIENT)
    now = now_ms()
    tier.put({b"new": Entry(b"v", now), b"old": Entry(b"v", now - 59_000), b"over": Entry(b"v", now - 70_000)})
    left = {key: raw.pttl(tier._name(key)) for key in (b"new", b"old")}
    assert 50_000 < left[b"new"] <= 60_000
    assert left[b"old"] <= 1000
    assert until(lambda: not tier.get([b"over"]))
    for_ever = RedisTier(redis_server.url, **PATIENT)
    put(for_ever, {b"kept": b"v"})
    assert raw.ttl(for_ever._name(b"kept")) == -1


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty", "of another key"])
@pytest.mark.parametrize("sealed", [False, True])
def test_a_damaged_or_foreign_entry_is_a_miss(
    redis_server: OwnRedis, raw: Redis, damage: str, sealed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It is removed with a log line that shows neither key nor value, and can be put again."""
    tier = RedisTier(redis_server.url, cover=Sealed(MasterKeys([OLD])) if sealed else None, **PATIENT)
    put(tier, {key_of(1): b"true answer", key_of(2): b"another"})
    name = tier._name(key_of(1))
    whole = raw.get(name)
    changed = {
        "cut": whole[:-3],
        "flipped": whole[:-1] + bytes([whole[-1] ^ 4]),
        "foreign": b"something else altogether",
        "empty": b"",
        "of another key": raw.get(tier._name(key_of(2))),
    }[damage]
    raw.set(name, changed)
    with caplog.at_level(logging.WARNING):
        assert get(tier, [key_of(1), key_of(2)]) == {key_of(2): b"another"}
    assert "1 entries are computed anew" in caplog.text
    assert key_of(1).hex()[:16] not in caplog.text
    assert (raw.exists(name), tier.stats()["broken"]) == (0, 1)
    put(tier, {key_of(1): b"true answer"})
    assert get(tier, [key_of(1)]) == {key_of(1): b"true answer"}


def test_another_kind_of_value_under_our_name_is_a_miss(redis_server: OwnRedis, raw: Redis) -> None:
    """A list where an entry should be is nothing to us."""
    tier = RedisTier(redis_server.url, **PATIENT)
    raw.rpush(tier._name(b"k"), "x")
    assert get(tier, [b"k"]) == {}


def test_nothing_in_redis_tells_a_row_once_a_key_is_set(redis_server: OwnRedis, raw: Redis) -> None:
    """Neither the value nor the digest of the row is there to be read or guessed; other keys see nothing."""
    old, new = (RedisTier(redis_server.url, cover=Sealed(MasterKeys([k])), **PATIENT) for k in (OLD, NEW))
    clear = RedisTier(redis_server.url, **PATIENT)
    put(old, {key_of(7): b"income 41250"})
    old.claim([key_of(8)])
    names = raw.keys("*")
    everything = b"".join(names) + b"".join(raw.get(name) for name in names)
    assert len(names) == 2
    assert all(name.startswith(PREFIX) for name in names)
    for planted in (b"income", b"41250", key_of(7), key_of(7).hex().encode(), key_of(8).hex().encode()):
        assert planted not in everything
    assert (get(new, [key_of(7)]), get(clear, [key_of(7)])) == ({}, {})
    assert get(RedisTier(redis_server.url, cover=Sealed(MasterKeys([OLD])), **PATIENT), [key_of(7)]) != {}


def test_redis_gone_and_back(redis_server: OwnRedis, caplog: pytest.LogCaptureFixture) -> None:
    """Killed during use it is a miss without an error; back again it is used; one line is logged each way."""
    tier = RedisTier(redis_server.url, **PATIENT)
    put(tier, {b"k": b"v"})
    with caplog.at_level(logging.WARNING):
        redis_server.kill()
        for _ in range(50):
            assert get(tier, [b"k"]) == {}
            put(tier, {b"k": b"v"})
            tier.remove([b"k"])
            assert tier.claim([b"k"]) == ({b"k"}, {})
            tier.release([b"k"])
            assert tier.wait([b"k"], 5.0) == {}
        assert tier.stats()["up"] == 0
        redis_server.start()
        assert until(lambda: tier.stats()["up"])
        put(tier, {b"k": b"w"})
        assert get(tier, [b"k"]) == {b"k": b"w"}
    assert caplog.text.count("is not used until it answers again") == 1
    assert caplog.text.count("answers again\n") == 1
    assert tier.stats()["errors"] == 1


def test_a_redis_that_hangs_costs_one_wait(redis_server: OwnRedis) -> None:
    """Of 300 look-ups in a stopped server only the first waits; when it goes on it is used again."""
    tier = RedisTier(redis_server.url, timeout_s=0.3, retry_s=0.05)
    put(tier, {b"k": b"v"})
    redis_server.signal(signal.SIGSTOP)
    start = time.monotonic()
    for _ in range(300):
        assert get(tier, [b"k"]) == {}
    assert time.monotonic() - start < 30  # 300 waits would take 90 s
    redis_server.signal(signal.SIGCONT)
    assert until(lambda: get(tier, [b"k"]) == {b"k": b"v"})


def test_a_redis_that_was_never_there_is_no_error(own_redis: OwnRedis) -> None:
    """The service starts and answers without it, and uses it when it comes."""
    tier = RedisTier(own_redis.url, **PATIENT)
    assert get(tier, [b"k"]) == {}
    own_redis.start()
    assert until(lambda: tier.stats()["up"])
    put(tier, {b"k": b"v"})
    assert get(tier, [b"k"]) == {b"k": b"v"}


def test_a_full_redis_is_said_once_and_read_on(
    redis_server: OwnRedis, raw: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Without memory left puts are dropped with one line; what is there is still found, and leases do not matter."""
    tier = RedisTier(redis_server.url, **PATIENT)
    put(tier, {b"k": b"v"})
    raw.config_set("maxmemory", 1)
    with caplog.at_level(logging.WARNING):
        put(tier, {key_of(i): value_of(i) for i in range(50)})
        assert tier.claim([b"l"]) == ({b"l"}, {})
        assert get(tier, [b"k", key_of(1)]) == {b"k": b"v"}
    assert caplog.text.count("refused what was asked of it") == 1
    assert tier.stats()["up"] == 1


def test_the_bound_of_redis_itself_evicts(redis_server: OwnRedis, raw: Redis) -> None:
    """With maxmemory and allkeys-lru the latest are kept, and what is left is true."""
    tier = RedisTier(redis_server.url, **PATIENT)
    raw.config_set("maxmemory-policy", "allkeys-lru")
    raw.config_set("maxmemory", raw.info()["used_memory"] + 1_000_000)
    for i in range(0, 2000, 100):
        put(tier, {key_of(j): value_of(j) for j in range(i, i + 100)})
    found = get(tier, [key_of(i) for i in range(2000)])
    assert 0 < len(found) < 1500
    assert all(found[key_of(i)] == value_of(i) for i in range(2000) if key_of(i) in found)
    assert tier.stats()["evictions"] > 0


def test_the_password_shows_nowhere(own_redis: OwnRedis, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong password is logged without it; with the right one Redis is used."""
    own_redis.start("--requirepass", "hunter2")
    with caplog.at_level(logging.DEBUG):
        assert get(RedisTier(f"{own_redis.url}?password=hunter3", **PATIENT), [b"k"]) == {}
        right = RedisTier(f"{own_redis.url}?password=hunter2", **PATIENT)
        put(right, {b"k": b"v"})
        assert get(right, [b"k"]) == {b"k": b"v"}
    assert "is not used until" in caplog.text
    assert "hunter" not in caplog.text + repr(right)


@pytest.mark.parametrize(
    "url", ["", "localhost:6379", "http://:hunter2@localhost", "redis://:hunter2@localhost:port/0"]
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    """The message names the setting, not what was given."""
    with pytest.raises(SettingsError, match="EXPLAINER_REDIS_URL") as raised:
        RedisTier(url).get([b"k"])
    assert "hunter2" not in str(raised.value)


def test_a_claim_is_exclusive_and_ends(redis_server: OwnRedis, raw: Redis) -> None:
    """One host computes a key; when it gives it back or its lease lapses, another may; nobody gives back another's."""
    one, two = RedisTier(redis_server.url, **PATIENT), RedisTier(redis_server.url, **PATIENT)
    assert one.claim([b"k", b"l"]) == ({b"k", b"l"}, {})
    assert two.claim([b"k", b"m"]) == ({b"m"}, {})
    two.release([b"k"])
    assert two.claim([b"k"]) == (set(), {})
    one.release([b"k"])
    assert two.claim([b"k"]) == ({b"k"}, {})
    raw.delete(one._lease(b"l"))
    assert two.claim([b"l"]) == ({b"l"}, {})
    one.release([b"l"])
    assert one.claim([b"l"]) == (set(), {})


def test_a_claim_is_kept_while_it_is_computed_and_no_longer(redis_server: OwnRedis, raw: Redis) -> None:
    """It is renewed beyond its own length; what was given back is not."""
    tier = RedisTier(redis_server.url, **PATIENT)
    tier.claim([b"k", b"l"])
    tier.release([b"l"])
    time.sleep(2.5)
    assert raw.exists(tier._lease(b"k"), tier._lease(b"l")) == 1
    assert 0 < raw.pttl(tier._lease(b"k")) <= 2000


def test_what_is_known_by_the_time_of_the_claim_is_not_computed(redis_server: OwnRedis, raw: Redis) -> None:
    """The claim brings the entry along and is given back."""
    tier = RedisTier(redis_server.url, **PATIENT)
    put(tier, {b"k": b"v"})
    claimed, known = tier.claim([b"k"])
    assert (claimed, known[b"k"].value) == (set(), b"v")
    assert raw.exists(tier._lease(b"k")) == 0


def test_waiting_ends_with_the_answer_the_abandonment_or_the_patience(redis_server: OwnRedis) -> None:
    """Each of the three ways, none of them an error."""
    one, two = RedisTier(redis_server.url, **PATIENT), RedisTier(redis_server.url, **PATIENT)
    one.claim([b"k", b"l", b"m"])
    one.release([b"l"])
    later = threading.Timer(0.2, lambda: put(one, {b"k": b"v"}))
    later.start()
    assert {k: e.value for k, e in two.wait([b"k", b"l"], 20).items()} == {b"k": b"v"}
    later.join()
    assert two.wait([b"m"], 0.05) == {}


def test_a_forked_process_does_not_renew_or_return_its_parents_claims(redis_server: OwnRedis, raw: Redis) -> None:
    """The child claims for itself; the parent's lease is the parent's."""
    tier = RedisTier(redis_server.url, **PATIENT)
    tier.claim([b"k"])
    child = os.fork()
    if child == 0:
        claimed, _ = tier.claim([b"k", b"l"])
        tier.release([b"k", b"l"])
        os._exit(0 if claimed == {b"l"} else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert raw.exists(tier._lease(b"k"), tier._lease(b"l")) == 1


def test_killed_and_restarted_during_use_every_answer_is_true(redis_server: OwnRedis) -> None:
    """Two hosts with several threads each ask while Redis dies and comes back: right answers, no error, no deadlock."""
    hosts = []
    for _ in range(2):
        shared = RedisBehind(RedisTier(redis_server.url, timeout_s=0.5, retry_s=0.05))
        hosts.append(Cache([MemoryTier(20_000), shared], leases=shared))
    wrong: list[object] = []
    over = threading.Event()
    asked = [0] * 6

    def work(number: int) -> None:
        chooser = random.Random(number)
        while not over.is_set():
            some = [chooser.randrange(200) for _ in range(chooser.randrange(1, 6))]
            answers = hosts[number % 2].through(
                [key_of(i) for i in some], lambda missing, some=some: [(value_of(some[at]), True) for at in missing]
            )
            wrong.extend(i for i, (answer, _) in zip(some, answers, strict=True) if answer != value_of(i))
            asked[number] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.3)
        redis_server.kill()
        time.sleep(0.3)
        redis_server.start()
    over.set()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
    assert min(asked) > 10
    assert sum(host.stats()["redis"]["hits"] for host in hosts) > 0


def test_what_is_erased_is_gone_for_every_host(redis_server: OwnRedis) -> None:
    """Another host finds it no more; where Redis is away it is said that nothing is certain."""
    ours, theirs = RedisTier(redis_server.url, **PATIENT), RedisTier(redis_server.url, **PATIENT)
    put(ours, {key_of(1): b"one", key_of(2): b"two"})
    assert theirs.erase([key_of(1), key_of(9)])
    assert get(ours, [key_of(1), key_of(2)]) == {key_of(2): b"two"}
    assert theirs.erase([])
    redis_server.kill()
    assert not ours.erase([key_of(2)])
