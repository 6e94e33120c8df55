"""The rooms for one command, and the person at this machine as its caller."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import click

from explainer.records import Principal
from explainer.settings import Settings
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served, Serving
from explainer.wiring import furnish
from explainer.workers.pool import WorkerPools


@dataclass(frozen=True, slots=True)
class Furnisher:
    """Who furnishes the rooms; as the `obj` of the command line it takes the place of `wiring.furnish`."""

    furnish: Callable[[Settings], Rooms]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with."""

    rooms: Rooms
    serving: Served

    def caller(self) -> Caller:
        """Whoever can run this command can read the files themselves: the local principal may do everything."""
        name = getpass.getuser()
        return Caller(Principal(id=f"local:{name}", kind="local", role="local", name=name), uuid.uuid4().hex, "cli")


@contextmanager
def desk(settings: Settings | None = None, *, workers: bool = False) -> Iterator[Desk]:
    """Furnish the rooms of `settings` (default: the environment's); with `workers`, models can be opened."""
    context = click.get_current_context(silent=True)
    chosen = None if context is None else context.find_object(Furnisher)
    rooms = (chosen or Furnisher(furnish)).furnish(settings or Settings.from_environment())
    if workers:
        rooms.workers.start()
    try:
        # On the command line the workers are this process's own.
        yield Desk(rooms, Serving(rooms.registry, cast(WorkerPools, rooms.workers)))
    finally:
        rooms.workers.shutdown()
