"""How is the service doing? The numbers of all its processes, as Prometheus reads them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TypeVar

from explainer.access.permissions import Permission
from explainer.errors import ExplainerError
from explainer.monitoring.page import FOLDER, Readings, page
from explainer.usecases.exports_room import exports_of
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

T = TypeVar("T")


def read_metrics(rooms: Rooms, serving: Served, caller: Caller) -> bytes:
    """Return the page. What cannot be found out now, such as the head of a ledger on a broken disk, is left out.

    No ledger entry is written: the page says nothing of persons or rows, and must be readable when no entry can be.
    """
    rooms.access.require(caller.principal, Permission.METRICS_READ)
    disk = _found(lambda: shutil.disk_usage(rooms.settings.var))
    readings = Readings(
        ready=_found(serving.unready) == [],
        models=_found(lambda: len(rooms.registry.names())),
        ledger_head=_found(lambda: rooms.ledger.head().number),
        disk_free=None if disk is None else disk.free,
        disk_size=None if disk is None else disk.total,
        exports=_found(lambda: _states(rooms)),
        agreement=_found(rooms.extraction.store.agreements),
    )
    return page(rooms.settings.var / FOLDER, readings)


def _states(rooms: Rooms) -> dict[str, int]:
    return exports_of(rooms).store.states()


def _found(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except (ExplainerError, OSError):
        return None
