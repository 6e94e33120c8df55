"""The form of traces, and their null twin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol


class Span(Protocol):
    """Something that takes time; its end is told once, in the thread that began it."""

    def end(self, status: int | None = None, error: str | None = None) -> None: ...


class Traces(Protocol):
    """Spans of the request that this thread answers. Attributes hold no personal data: names of routes and stages."""

    def request(self, method: str, route: str, headers: Mapping[str, str]) -> Span: ...

    def stage(self, name: str) -> Span: ...

    def elsewhere(self, name: str, seconds: float, ago: float) -> None: ...

    def traceparent(self) -> str | None: ...


class NoSpan:
    def end(self, status: int | None = None, error: str | None = None) -> None:
        return


class NoTraces:
    """Nothing is traced."""

    def request(self, method: str, route: str, headers: Mapping[str, str]) -> Span:
        return _NO_SPAN

    def stage(self, name: str) -> Span:
        return _NO_SPAN

    def elsewhere(self, name: str, seconds: float, ago: float) -> None:
        return

    def traceparent(self) -> str | None:
        return None


_NO_SPAN: Final = NoSpan()
