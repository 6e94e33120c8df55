"""The record that the registry itself keeps beside a version: `registration.json`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from explainer.errors import ModelRefused, Problem
from explainer.records import Manifest, ModelVersion, Notice, OpenReport
from explainer.registry.digests import model_digest
from explainer.registry.manifest import read_manifest

FILE = "registration.json"


@dataclass(frozen=True, slots=True)
class Registration:
    """`sequence` counts the registrations of a name: the order of versions does not hang on a clock.

    `registered_by` is the principal, empty for versions from before it was written down.
    """

    digest: str
    files: dict[str, str]
    sequence: int
    registered_at: str
    report: OpenReport
    notices: tuple[Notice, ...]
    signed_by: str | None
    registered_by: str = ""
    needs_approval: bool = False


def dump_registration(registration: Registration) -> bytes:
    return orjson.dumps(dataclasses.asdict(registration), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def read_registration(folder: Path) -> Registration:
    """Read the record of a version's folder; raises ModelRefused when it is not one that we wrote."""
    try:
        fields: dict[str, Any] = orjson.loads((folder / FILE).read_bytes())
        report = dict(fields.pop("report"))
        notices = _notices(fields.pop("notices"))
        report["notices"] = _notices(report["notices"])
        registration = Registration(**fields, notices=notices, report=OpenReport(**report))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise changed(folder, FILE, f"it cannot be read ({type(error).__name__})") from None
    if not (isinstance(registration.files, dict) and isinstance(registration.sequence, int)):
        raise changed(folder, FILE, "it does not hold what was written")
    return registration


def read_version(folder: Path) -> tuple[ModelVersion, Registration]:
    """Read a registered version; raises ModelRefused when its manifest is not the one that was registered."""
    registration = read_registration(folder)
    try:
        manifest = read_manifest((folder / "manifest.toml").read_bytes())
    except OSError as error:
        raise changed(folder, "manifest.toml", f"it cannot be read ({type(error).__name__})") from None
    if _place(manifest) != (folder.parent.name, folder.name):
        raise changed(folder, "manifest.toml", "it is the manifest of another model or version")
    if model_digest(manifest, registration.files) != registration.digest:
        raise changed(folder, "manifest.toml", "it differs from what was registered")
    version = ModelVersion(
        manifest=manifest,
        digest=registration.digest,
        folder=folder,
        registered_at=registration.registered_at,
        notices=registration.notices,
        signed_by=registration.signed_by,
    )
    return version, registration


def changed(folder: Path, file: str, what: str) -> ModelRefused:
    """Build the refusal of a registered folder that is no longer what it was."""
    title = f"{folder.parent.name} version {folder.name}"
    detail = f"{title}: {file} was changed after registration: {what}. Restore it or register a new version."
    return ModelRefused(detail, problems=[Problem(file, "changed", detail)])


def _place(manifest: Manifest) -> tuple[str, str]:
    return manifest.name, manifest.version


def _notices(items: list[dict[str, str]]) -> tuple[Notice, ...]:
    return tuple(Notice(**item) for item in items)
