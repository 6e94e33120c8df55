"""Ends are counted, restarts wait longer and longer, and a version that keeps dying rests."""

from __future__ import annotations

from explainer.workers.health import BLAMELESS, FIRST_DELAY_S, KILLED, OWN_DOING, REST_S, Health


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_first_end_is_mended_at_once() -> None:
    """After one end there is no delay; after the second there is, and it doubles."""
    health = Health(Clock())
    health.died("x", OWN_DOING)
    assert health.delay() == 0
    delays = []
    for _ in range(3):
        health.died("x", OWN_DOING)
        delays.append(round(health.delay(), 6))
    assert delays == [FIRST_DELAY_S, 2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S]


def test_five_ends_within_a_minute_take_out_of_service() -> None:
    """The fifth end of a model's own doing within 60 s takes it out of service with its reason, for REST_S seconds."""
    health = Health(Clock())
    for _ in range(4):
        health.died("signal 11", OWN_DOING)
    assert health.out_of_service is None
    health.died("exit status 3", OWN_DOING)
    assert "5 times" in str(health.out_of_service)
    assert "exit status 3" in str(health.out_of_service)
    assert health.delay() == REST_S


def test_kills_from_outside_weigh_less() -> None:
    """Nineteen kills within a minute delay the next worker by less than a second; the twentieth ends the service."""
    health = Health(Clock())
    for _ in range(19):
        health.died("signal 9", KILLED)
        assert health.delay() < 1
    assert health.out_of_service is None
    health.died("signal 9", KILLED)
    assert "20 times" in str(health.out_of_service)


def test_ends_far_apart_are_forgiven() -> None:
    """Ends that lie more than a minute back do not count."""
    clock = Clock()
    health = Health(clock)
    for _ in range(20):
        health.died("x", OWN_DOING)
        clock.now += 16
    assert health.out_of_service is None


def test_the_nursery_s_end_does_not_count() -> None:
    """However often the nursery is killed, its versions stay in service and are opened again at once."""
    health = Health(Clock())
    for _ in range(30):
        health.died("its nursery ended", BLAMELESS)
    assert health.out_of_service is None
    assert health.delay() == 0
    assert health.last_failure == "its nursery ended"


def test_a_worker_that_opens_brings_the_version_back() -> None:
    """After the rest, a worker that opens puts the version back into service."""
    clock = Clock()
    health = Health(clock)
    for _ in range(5):
        health.died("x", OWN_DOING)
    clock.now += REST_S
    assert health.delay() == 0
    health.opened()
    assert health.out_of_service is None
