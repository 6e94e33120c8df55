"""One Redis, asked with a short patience; no error of it leaves this file, and no password."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from explainer.cache.breaker import Breaker
from explainer.cache.counts import Counts
from explainer.settings import SettingsError

log = logging.getLogger(__name__)

COMPLAINED_EVERY_S = 60.0


class Server:
    """Safe for threads. Without an answer in `timeout_s` it is left alone, and tried again in the background."""

    def __init__(self, url: str, timeout_s: float, retry_s: float, counts: Counts) -> None:
        """Raises SettingsError for an address that is none; nothing is connected yet. `counts` counts `errors`."""
        self._client = _client(url, timeout_s)
        self.place = _place(self._client)
        self._breaker = Breaker(self.place, self._answers, retry_s)
        self._counts = counts
        self._quiet_until = 0.0

    def ask(self, question: Callable[[redis.Redis], Any]) -> Any | None:
        """Return the answer, None where there is none."""
        if not self._breaker.allows():
            return None
        try:
            return question(self._client)
        except redis.ResponseError as error:
            self.complain(error)
        except (redis.RedisError, OSError) as error:
            self._counts.add("errors")
            self._breaker.trip(error)
        return None

    def complain(self, error: Exception) -> None:
        """Count what Redis refused (no memory left, no permission), and say it once a minute."""
        self._counts.add("errors")
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + COMPLAINED_EVERY_S
            log.warning("%s refused what was asked of it: %s", self.place, error)

    def is_up(self) -> bool:
        """Whether it answered when it was last asked."""
        return self._breaker.allows()

    def close(self) -> None:
        """Close the connections; where it does not answer it is not tried any more."""
        self._breaker.close()
        self._client.close()

    def _answers(self) -> bool:
        try:
            return bool(self._client.ping())
        except (redis.RedisError, OSError):
            return False


def _client(url: str, timeout_s: float) -> redis.Redis:
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            protocol=2,
        )
    except (ValueError, redis.RedisError):  # whose text may hold the password
        raise SettingsError(
            "EXPLAINER_REDIS_URL is no address: it needs redis://host:port/0, rediss:// for TLS, or unix:///path."
        ) from None


def _place(client: redis.Redis) -> str:
    """Return where Redis is, without name and password."""
    told = client.connection_pool.connection_kwargs
    return f"Redis at {told.get('path') or '{}:{}'.format(told.get('host', 'localhost'), told.get('port', 6379))}"
