"""What computes the chunks of an export: one file for each engine, named as `--runner` names it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Protocol

from explainer.errors import InvalidOption
from explainer.exports.chunks import Chunk, Done

Task = Callable[[Chunk], Done]


class Runner(Protocol):
    """An engine that is up. `run` yields finished chunks in any order, and holds few at a time.

    It raises WorkerDied when a worker was lost with its chunk; then it can be run again with what is left.
    """

    def run(self, task: Task, chunks: Iterator[Chunk]) -> Iterator[Done]: ...

    def close(self) -> None: ...


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def start(wanted: str) -> Runner:
    """The runner that `wanted` names: `serial`, `joblib`, `joblib:4`, `dask://host:port`, `ray:2`, ...

    Every file of this folder has a function `start(rest)`. Raises InvalidOption for a name that is none of theirs, for
    a library that is missing, or an address that does not answer.
    """
    name, _, rest = wanted.partition(":")
    if name not in names():
        raise InvalidOption(f"runner: {wanted[:80]!r} is not known; choose one of {', '.join(names())}.")
    runner: Runner = importlib.import_module(f"{__name__}.{name}").start(rest)
    return runner


def workers_of(rest: str, default: int) -> int:
    """How many workers `rest` asks for; raises InvalidOption."""
    if not rest:
        return default
    if not rest.isdecimal() or not 1 <= int(rest) <= 10_000:
        raise InvalidOption(f"runner: {rest[:40]!r} is not a number of workers; write for example joblib:4.")
    return int(rest)


def missing(library: str, extra: str) -> InvalidOption:
    return InvalidOption(f"runner: {library} is not installed; pip install 'explainer[{extra}]'.")
