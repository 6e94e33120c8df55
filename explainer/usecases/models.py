"""Which models are there, and what do they say of themselves?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainer.access.permissions import Permission
from explainer.records import ModelVersion
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A version, its sibling versions, its card as Markdown, and rows that people may try."""

    version: ModelVersion
    versions: list[ModelVersion]
    card: str
    samples: list[dict[str, Any]]


def list_models(rooms: Rooms, caller: Caller) -> list[ModelVersion]:
    """Every version that this caller may see, newest first within a name; retired ones included."""
    with recorded(rooms.ledger, caller, "model:list") as note:
        rooms.access.require(caller.principal, Permission.CARD_READ)
        allowed = caller.principal.models
        found = [v for v in rooms.registry.versions() if "*" in allowed or v.manifest.name in allowed]
        note["models"] = len(found)
        return found


def show_model(rooms: Rooms, caller: Caller, name: str, version: str | None = None) -> ModelPage:
    """Raises NotFound when there is no such model or version."""
    with recorded(rooms.ledger, caller, "model:read", model=name):
        rooms.access.require(caller.principal, Permission.CARD_READ, name)
        found = rooms.registry.get(name, version)
        siblings = [v for v in rooms.registry.versions() if v.manifest.name == name]
        return ModelPage(found, siblings, rooms.registry.card(found), rooms.registry.samples(found))
