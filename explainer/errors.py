"""Every error raised on purpose, with its stable code and HTTP status.

ExplainerError
├── RequestRefused                  the caller can mend it
│   ├── MalformedRequest     400    not JSON, NaN, duplicate keys, too deep
│   ├── InvalidRows          422    names, types, categories, missing values; lists every problem
│   ├── InvalidOption        422    a setting of the request that this model cannot honour
│   ├── TooLarge             413    body or number of rows above the limit
│   ├── TooSlow              408    the request's head or body did not come in time
│   ├── HeadTooLarge         431    too many or too long headers
│   ├── UnsupportedMedia     415    a body that is not application/json
│   ├── NotAuthenticated     401
│   │   └── SecondFactorNeeded 401  the password was right, the second factor is still to come
│   ├── NotPermitted         403
│   ├── NotFound             404
│   ├── TooManyRequests      429    one principal has too many requests waiting
│   ├── BudgetExhausted      429    a principal asked for as much of a model as it may
│   └── Conflict             409    a version that exists already, a retired model, a verdict that does not follow
│       └── NoticeBlocked    409    a notice whose reasons may not be told as they are
├── ModelRefused             422    registration: lists every reason
├── ModelFailed              502    the model's own code raised or answered nonsense
│   ├── WorkerDied           502    its process ended
│   └── WorkerTimedOut       504    it did not answer in time
├── NotReady                 503    models are still being opened
├── Overloaded               503    no worker became free in time
├── StorageFailed            503    a record could not be kept, so nothing is answered
│   ├── KeyMissing           503    sealed with a key that this process was not given
│   └── SealBroken           503    sealed, and changed, moved or cut since
└── Cancelled                503    whoever asked no longer waits
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it is, which rule it breaks, what to do."""

    where: str
    rule: str
    detail: str


class ExplainerError(Exception):
    """An error with a stable code; `problems` lists every finding when there are several."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The request could not be answered"

    def __init__(self, detail: str, *, problems: Sequence[Problem] = (), retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = tuple(problems)
        self.retry_after_s = retry_after_s  # whole seconds after which the same request may be answered
        self.recorded = False  # whether the ledger has an entry of it


class RequestRefused(ExplainerError):
    code, status, title = "refused", 400, "The request was refused"


class MalformedRequest(RequestRefused):
    code, status, title = "malformed", 400, "The request body is malformed"


class InvalidRows(RequestRefused):
    code, status, title = "invalid-rows", 422, "Rows do not fit the model's schema"


class InvalidOption(RequestRefused):
    code, status, title = "invalid-option", 422, "A setting cannot be honoured"


class TooLarge(RequestRefused):
    code, status, title = "too-large", 413, "The request is too large"


class UnsupportedMedia(RequestRefused):
    code, status, title = "unsupported-media", 415, "The body is of the wrong kind"


class NotAuthenticated(RequestRefused):
    code, status, title = "not-authenticated", 401, "Sign in or send an API key"


class SecondFactorNeeded(NotAuthenticated):
    """`step` says which one: `prove` a factor that was set up, or `set-up` the first one."""

    code, status, title = "second-factor-needed", 401, "A second factor is needed"

    def __init__(
        self, detail: str, *, step: str = "prove", problems: Sequence[Problem] = (), retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail, problems=problems, retry_after_s=retry_after_s)
        self.step = step


class NotPermitted(RequestRefused):
    code, status, title = "not-permitted", 403, "This role may not do that"


class NotFound(RequestRefused):
    code, status, title = "not-found", 404, "There is nothing of that name"


class Conflict(RequestRefused):
    code, status, title = "conflict", 409, "The present state does not allow that"


class NoticeBlocked(Conflict):
    code, status, title = "notice-blocked", 409, "The notice may not be sent"


class TooManyRequests(RequestRefused):
    code, status, title = "too-many-requests", 429, "Too many requests at once"


class ModelRefused(ExplainerError):
    code, status, title = "model-refused", 422, "The model was not registered"


class ModelFailed(ExplainerError):
    code, status, title = "model-failed", 502, "The model failed"


class WorkerDied(ModelFailed):
    code, status, title = "worker-died", 502, "The model's process ended"


class WorkerTimedOut(ModelFailed):
    code, status, title = "worker-timed-out", 504, "The model did not answer in time"


class NotReady(ExplainerError):
    code, status, title = "not-ready", 503, "The service is not ready yet"


class Overloaded(ExplainerError):
    code, status, title = "overloaded", 503, "Every worker of this model is busy"


class StorageFailed(ExplainerError):
    code, status, title = "storage-failed", 503, "A record could not be kept"


class Cancelled(ExplainerError):
    code, status, title = "cancelled", 503, "The request was withdrawn"


class KeyMissing(StorageFailed):
    code, status, title = "key-missing", 503, "The key of a sealed record is missing"


class SealBroken(StorageFailed):
    code, status, title = "seal-broken", 503, "A sealed record was changed"


class TooSlow(RequestRefused):
    code, status, title = "too-slow", 408, "The request did not come in time"


class HeadTooLarge(RequestRefused):
    code, status, title = "head-too-large", 431, "The request's headers are too large"


class BudgetExhausted(RequestRefused):
    """`left` says of the budget that is used up what its header fields tell."""

    code, status, title = "budget-exhausted", 429, "The budget for this model is used up"

    def __init__(
        self,
        detail: str,
        *,
        left: Mapping[str, str] | None = None,
        problems: Sequence[Problem] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail, problems=problems, retry_after_s=retry_after_s)
        self.left = dict(left or {})
