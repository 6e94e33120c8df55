"""Does a version answer, and how many workers has it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explainer.records import ModelVersion
from explainer.registry.approval import pending
from explainer.usecases.serving import Served
from explainer.workers.version import PoolState


@dataclass(frozen=True, slots=True)
class Health:
    """`asleep` has no workers until it is asked; `reason` says why it is out of service.

    `broken` says why the current version of the same name does not answer, None when it does.
    """

    state: Literal["served", "asleep", "out", "retired", "pending"]
    reason: str | None
    pool: PoolState | None
    broken: str | None


def health_of(serving: Served, version: ModelVersion) -> Health:
    """Part of a page that has its entry already. Raises NotReady where nobody can tell."""
    broken = serving.out_of_service().get(version.manifest.name)
    pool = serving.pools().get(version.digest)
    if version.retired_at is not None:
        return Health("retired", None, None, broken)
    if pending(version):
        return Health("pending", None, None, broken)
    if pool is not None and pool.out_of_service is None:
        return Health("served", None, pool, broken)
    title = f"{version.manifest.name} version {version.manifest.version}: "
    own = broken.removeprefix(title) if broken and broken.startswith(title) else None
    reason = pool.out_of_service if pool is not None else own
    return Health("asleep" if reason is None else "out", reason, pool, broken)
