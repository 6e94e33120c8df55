"""One chunk after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator

from explainer.errors import InvalidOption
from explainer.exports.chunks import Chunk, Done
from explainer.exports.runners import Task


class Serial:
    def run(self, task: Task, chunks: Iterator[Chunk]) -> Iterator[Done]:
        return map(task, chunks)

    def close(self) -> None:
        return


def start(rest: str) -> Serial:
    if rest:
        raise InvalidOption("runner: serial takes no number of workers; there is one.")
    return Serial()
