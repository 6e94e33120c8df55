"""An engine for the model's own background, and one for each of the last few that requests brought."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from explainer.attribution.engine import Engine
from explainer.attribution.maskers import background
from explainer.attribution.ports import Method, Subject
from explainer.attribution.reference import NAME, rows_of
from explainer.errors import InvalidRows
from explainer.records import BackgroundRows

KEPT = 4  # backgrounds of requests whose engines are kept, prepared tables and all


class Engines:
    """Engines of one subject by background; the least recently asked of those that requests brought goes first."""

    def __init__(self, subject: Subject, methods: Sequence[Method] | None = None) -> None:
        """`methods` are those of every engine; see Engine."""
        self.own = Engine(subject, methods)
        self._subject = subject
        self._methods = methods
        self._kept: OrderedDict[str, Engine] = OrderedDict()

    def against(self, named: str | BackgroundRows) -> Engine:
        """The engine for the background of a request; whether a name is served, the engine itself checks.

        Raises InvalidRows when the rows are not as wide as the model's.
        """
        if isinstance(named, str):
            return self.own
        if named.features != len(self._subject.names):
            raise InvalidRows(f"background.rows: {named.features} values a row; {len(self._subject.names)} are due.")
        if named.digest not in self._kept:
            subject = replace(self._subject, background=background(rows_of(named), named.digest, NAME))
            self._kept[named.digest] = Engine(subject, self._methods)
        self._kept.move_to_end(named.digest)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[named.digest]
