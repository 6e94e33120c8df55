"""What is remembered for a moment: bounded in bytes and in age."""

from __future__ import annotations

import threading

from explainer.cache.memo import Memo


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_is_found_until_it_is_too_old() -> None:
    """Being asked for does not make it younger; being put again does."""
    clock = Clock()
    memo: Memo[str] = Memo(100, 60, clock=clock)
    memo.put("a", "said", 10)
    for clock.now in (0.0, 30.0, 59.9):
        assert memo.get("a") == "said"
    clock.now = 60.0
    assert memo.get("a") is None
    memo.put("a", "again", 10)
    assert (memo.get("a"), memo.size_bytes) == ("again", 10)


def test_the_oldest_goes_first() -> None:
    """Beyond the bound what was put first is forgotten; what is larger than the bound is not taken at all."""
    memo: Memo[int] = Memo(30, 60)
    for i in range(5):
        memo.put(i, i, 10)
    assert [memo.get(i) for i in range(5)] == [None, None, 2, 3, 4]
    memo.put("large", 0, 31)
    assert memo.get("large") is None
    assert memo.size_bytes == 30


def test_what_is_too_old_is_not_held() -> None:
    """The next value that is put takes out whatever nobody may be told any more."""
    clock = Clock()
    memo: Memo[int] = Memo(1000, 60, clock=clock)
    for i in range(10):
        memo.put(i, i, 10)
    clock.now = 61.0
    memo.put("new", 1, 10)
    assert memo.size_bytes == 10


def test_forgetting() -> None:
    """A forgotten key is free again; forgetting what is not there is nothing."""
    memo: Memo[int] = Memo(30, 60)
    memo.put("a", 1, 10)
    memo.forget("a")
    memo.forget("a")
    assert (memo.get("a"), memo.size_bytes) == (None, 0)


def test_threads_keep_the_bound() -> None:
    """Whatever eight threads put and forget at once, the count of bytes is that of what is held."""
    memo: Memo[int] = Memo(500, 60)

    def work(n: int) -> None:
        for i in range(300):
            memo.put((n + i) % 90, i, 7)
            memo.forget((n * i) % 90)
            assert memo.get((n + i) % 90) in {None, *range(300)}

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memo.size_bytes == 7 * sum(memo.get(k) is not None for k in range(90)) <= 500
