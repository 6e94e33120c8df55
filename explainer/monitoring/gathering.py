"""The sum over all processes: counts of every process there was, states of those that live."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from explainer.monitoring import layout
from explainer.monitoring.cells import SUFFIX
from explainer.monitoring.layout import Key, LayoutError, Owner
from explainer.monitoring.processes import lives

log = logging.getLogger(__name__)
Values = dict[Key, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Tally:
    """One process's file: `role`, its `number` among those of the role, who writes it, and what it counted."""

    role: str
    number: str
    owner: Owner
    alive: bool
    values: Values


def tallies(folder: Path) -> list[Tally]:
    """Read the file of every process. One that is just being begun, or is damaged, is left out, the latter logged."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            data = path.read_bytes()
            owner = layout.read_owner(data)
            values = {key: layout.floats(data, at, width) for key, at, width in layout.read_entries(data)}
        except FileNotFoundError:
            continue  # cleared between the listing and here
        except LayoutError as error:
            if data.strip(b"\0"):
                log.error("%s cannot be read: %s; remove it while the service is stopped", path, error)
            continue
        role, _, number = path.name.removesuffix(SUFFIX).rpartition("-")
        found.append(Tally(role, number, owner, lives(owner.pid, owner.ticks), values))
    return found


def combined(found: Iterable[Tally], live: Container[str], largest: Container[str]) -> Values:
    """Add up the values by key: of metrics in `live` those of living processes, in `largest` only the largest."""
    total: Values = {}
    for tally in found:
        for key, values in tally.values.items():
            if key[0] in live and not tally.alive:
                continue
            before = total.get(key)
            if before is None or len(before) != len(values):
                total[key] = values
            elif key[0] in largest:
                total[key] = max(before, values)
            else:
                total[key] = tuple(a + b for a, b in zip(before, values, strict=True))
    return total
