"""The registry: checks what comes in, keeps what was admitted, and hands out what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from explainer.attribution.foreign import Familiar, familiar
from explainer.errors import Conflict, ModelRefused, NotFound
from explainer.records import FloatArray, LoadOrder, ModelVersion, Notice, OpenReport
from explainer.registry import approval
from explainer.registry.candidate import SAMPLES, Candidate, check_folder
from explainer.registry.catalogue import Catalogue, Snapshot
from explainer.registry.copying import copy_registry
from explainer.registry.nearest import listing, suggestion
from explainer.registry.registration import Registration, changed, dump_registration
from explainer.registry.rows import kinds_of
from explainer.registry.staging import exists, mark, mark_retired, place, writing
from explainer.registry.tables import read_table
from explainer.settings import Settings

KEPT_BACKGROUNDS = 16

__all__ = ["Candidate", "Registry"]


class Registry:
    """Versions in `<registry>/<name>/<version>/`; safe for threads and for several processes at once."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.registry.absolute()
        self._trusted = settings.trusted_keys
        self._require_approval = settings.require_approval
        self._catalogue = Catalogue(self._folder)
        self._backgrounds: dict[str, FloatArray] = {}
        self._familiar: dict[str, Familiar | None] = {}

    def check(self, path: Path) -> Candidate:
        """Check a model folder from outside; raises ModelRefused with every reason, Conflict if it is registered."""
        candidate = check_folder(path.absolute(), self._trusted)
        if (self._folder / candidate.manifest.name / candidate.manifest.version).exists():
            raise exists(candidate)
        return candidate

    def admit(
        self, candidate: Candidate, report: OpenReport, findings: tuple[Notice, ...] = (), by: str = ""
    ) -> ModelVersion:
        """Keep a checked and tried model and make it visible at once; it awaits approval where a finding blocks it.

        Raises Conflict when the version was registered meanwhile, ModelRefused when a file changed since the check,
        StorageFailed when it cannot be kept; then nothing of it is visible.
        """
        name, version = candidate.manifest.name, candidate.manifest.version
        with writing(self._folder):
            registration = Registration(
                digest=candidate.digest,
                files=dict(candidate.files),
                sequence=self._next_sequence(name),
                registered_at=_now(),
                report=report,
                notices=(*candidate.notices, *report.notices, *findings),
                signed_by=candidate.signed_by,
                registered_by=by,
                needs_approval=self._require_approval or any(f.code in approval.BLOCKING for f in findings),
            )
            place(self._folder, candidate, dump_registration(registration))
        return self.get(name, version)

    def retire(self, name: str, version: str) -> ModelVersion:
        """Take a version out of service for good; raises NotFound, Conflict when it is retired, StorageFailed."""
        with writing(self._folder):
            found = self.get(name, version)
            if found.retired_at is not None:
                raise Conflict(f"{_title(found)} was retired at {found.retired_at} already.")
            mark_retired(self._folder, name, version, orjson.dumps({"retired_at": _now()}))
        return self.get(name, version)

    def approve(self, name: str, version: str, by: str, accepted: Mapping[str, str]) -> ModelVersion:
        """Let a version into service; `accepted` gives a reason for each finding that blocks it.

        Raises NotFound, Conflict when it does not await approval, InvalidOption when a reason is missing or
        superfluous, StorageFailed.
        """
        with writing(self._folder):
            found = self.get(name, version)
            reasons = approval.checked(found, accepted)
            record = approval.Approval(found.digest, _now(), by, reasons)
            mark(self._folder, approval.APPROVED, name, version, orjson.dumps(record))
        return self.get(name, version)

    def registered_by(self, version: ModelVersion) -> str:
        """Return the principal who registered the version; empty where that was not written down."""
        return self._catalogue.now().registrations[version.manifest.name, version.manifest.version].registered_by

    def versions(self) -> tuple[ModelVersion, ...]:
        """Return every version, retired ones included, by name and the newest first."""
        return tuple(self._catalogue.now().versions.values())

    def names(self) -> tuple[str, ...]:
        """Return the names that have a version in service, in order."""
        return tuple(self._catalogue.now().current)

    def faults(self) -> tuple[ModelRefused, ...]:
        """Return why registered folders cannot be used: somebody changed them."""
        return tuple(self._catalogue.now().faults.values())

    def get(self, name: str, version: str | None = None) -> ModelVersion:
        """Return a version, retired or not, or the latest one in service when `version` is None.

        Raises NotFound with the nearest name, Conflict when every version is retired, ModelRefused when the folder
        was changed after registration.
        """
        now = self._catalogue.now()
        found = now.current.get(name) if version is None else now.versions.get((name, version))
        if found is None:
            raise _absent(now, name, version)
        return found

    def serve(self, name: str, version: str | None = None) -> ModelVersion:
        """Return a version for new answers: as `get`, but raises Conflict for one that is retired or not approved."""
        found = self.get(name, version)
        if found.retired_at is not None:
            raise Conflict(f"{_title(found)} was retired at {found.retired_at}; ask for another version.")
        if approval.pending(found):
            raise Conflict(approval.waiting(found))
        return found

    def report(self, version: ModelVersion) -> OpenReport:
        """Return what the worker that tried the version at its registration found."""
        return self._catalogue.now().report(version)

    def order(self, version: ModelVersion) -> LoadOrder:
        """Check every file of a registered version again and return what a worker needs to open it.

        Raises ModelRefused when anything differs from what was registered, or when the key that signed a model
        that needs a signature is no longer trusted.
        """
        candidate = check_folder(version.folder, self._trusted)
        if candidate.digest != version.digest:
            raise changed(version.folder, "a file", "the digest of the version differs")
        self._remember(version.digest, candidate.background)
        return candidate.order()

    def background(self, version: ModelVersion) -> FloatArray:
        """Return the coded background rows, shape (rows, features), read-only; checked when first read."""
        if version.digest not in self._backgrounds:
            self.order(version)
        return self._backgrounds[version.digest]

    def unlike(self, version: ModelVersion, rows: FloatArray) -> list[tuple[Notice, ...]]:
        """What is strange about each coded row beside the background; the same as the version's workers find.

        Nothing where the background has too few rows to tell. Made ready when a version is first asked for.
        """
        if version.digest not in self._familiar:
            features = version.manifest.features
            made = familiar(self.background(version), kinds_of(features), tuple(f.name for f in features))
            kept = dict(list(self._familiar.items())[-KEPT_BACKGROUNDS + 1 :])
            self._familiar = {**kept, version.digest: made}
        known = self._familiar[version.digest]
        return [()] * len(rows) if known is None else known.findings(rows)

    def card(self, version: ModelVersion) -> str:
        """Return the text of the model card; raises ModelRefused when it cannot be read."""
        try:
            return (version.folder / version.manifest.card.file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise changed(version.folder, version.manifest.card.file, "it cannot be read") from None

    def samples(self, version: ModelVersion) -> list[dict[str, Any]]:
        """Return rows for people to try, as JSON values; empty when the version came without `samples.csv`."""
        path = version.folder / SAMPLES
        return [line.row for line in read_table(path, version.manifest.features)] if path.exists() else []

    def backup_to(self, folder: Path) -> None:
        """Copy the whole registry into a new folder; raises StorageFailed."""
        copy_registry(self._folder, folder)

    def _next_sequence(self, name: str) -> int:
        past = self._catalogue.now().registrations
        return 1 + max((r.sequence for (n, _), r in past.items() if n == name), default=0)

    def _remember(self, digest: str, background: FloatArray) -> None:
        background.flags.writeable = False
        kept = dict(list(self._backgrounds.items())[-KEPT_BACKGROUNDS + 1 :])
        self._backgrounds = {**kept, digest: background}


def _absent(now: Snapshot, name: str, version: str | None) -> NotFound | Conflict | ModelRefused:
    faults = [error for (n, v), error in now.faults.items() if n == name and version in (v, None)]
    versions = [v for n, v in now.versions if n == name]
    if faults and (version is not None or not versions):
        return faults[0]
    if not versions:
        known = sorted({n for n, _ in now.versions})
        return NotFound(f"There is no model {name[:64]!r}.{suggestion(name, known)}")
    if version is None:
        awaited = [v for v in now.versions.values() if v.manifest.name == name and approval.pending(v)]
        if awaited:
            return Conflict(f"No version of {name} is in service. {approval.waiting(awaited[0])}")
        return Conflict(f"Every version of {name} is retired; register a new one.")
    return NotFound(f"{name} has no version {version[:40]!r}; it has {listing(versions, word=version)}.")


def _title(version: ModelVersion) -> str:
    return f"{version.manifest.name} version {version.manifest.version}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
