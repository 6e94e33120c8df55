"""Reads `manifest.toml` into records.Manifest, or says everything that is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from explainer.errors import ModelRefused, Problem
from explainer.records import (
    BackgroundSpec,
    CardSpec,
    DecisionSpec,
    GoldenSpec,
    Manifest,
    Notice,
    RemoteSpec,
)
from explainer.registry.features import read_features
from explainer.registry.manifest_rules import (
    check_jurisdiction,
    check_manifest,
    check_name,
    check_reserved,
    file_fault,
)
from explainer.registry.manifest_writer import write_manifest
from explainer.registry.section import Section

__all__ = ["FORMATS", "REMOTE_FORMATS", "Reading", "notices", "parse_manifest", "read_manifest", "write_manifest"]

REMOTE_FORMATS = frozenset({"kserve-v1", "oip-v2"})
FORMATS = frozenset({"sklearn-skops", "sklearn-joblib", "xgboost", "lightgbm", "catboost", "onnx"}) | REMOTE_FORMATS
MOST_BYTES = 1_000_000
MOST_CLASSES = 1000
MOST_REASONS = 10
MOST_DAYS = 3650
MOST_VERDICT_REASONS = 50


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that the manifest names: at which key, and with which checksum if one is declared."""

    where: str
    file: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: `manifest` is None when there are problems, `claims` holds every usable file name."""

    manifest: Manifest | None
    problems: tuple[Problem, ...]
    claims: tuple[Claim, ...]


def read_manifest(data: bytes, formats: Collection[str] = FORMATS) -> Manifest:
    """Return the manifest in `data`, the bytes of a `manifest.toml`; raises ModelRefused with every problem."""
    reading = parse_manifest(data, formats)
    if reading.manifest is None:
        raise refusal("manifest.toml", reading.problems)
    return reading.manifest


def refusal(what: str, problems: Collection[Problem]) -> ModelRefused:
    """Build the refusal that lists `problems`; its sentence counts them and repeats the first."""
    first = next(iter(problems))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ModelRefused(f"{what}: {first.where}: {first.detail}{more}", problems=tuple(problems))


def parse_manifest(data: bytes, formats: Collection[str] = FORMATS) -> Reading:
    """Read as much as can be read of a `manifest.toml`; raises nothing."""
    try:
        document = _document(data)
    except (ValueError, RecursionError) as error:
        return Reading(None, (Problem("manifest.toml", "toml", _plain(error)),), ())
    problems: list[Problem] = []
    root = Section(document, "", problems)
    manifest = _manifest(root, problems, formats)
    root.close()
    check_manifest(manifest, manifest.format in REMOTE_FORMATS, problems)
    return Reading(None if problems else manifest, tuple(problems), _claims(manifest))


def notices(manifest: Manifest) -> tuple[Notice, ...]:
    """Return what the owner should know of a manifest that is nevertheless acceptable."""
    found = []
    if silent := [f.name for f in manifest.features if f.reason is None]:
        shown = ", ".join(silent[:5]) + (" and others" if len(silent) > 5 else "")
        detail = f"{len(silent)} features have no reason texts ({shown}); reasons will show their bare names."
        found.append(Notice("reasons-missing", detail))
    if manifest.decision is None:
        found.append(
            Notice("decision-missing", "There is no [decision] table; outcomes and reason codes are not given.")
        )
    return tuple(found)


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MOST_BYTES:
        raise ValueError(f"The manifest has {len(data)} bytes; at most {MOST_BYTES} are read.")
    return tomllib.loads(data.decode("utf-8-sig"))


def _plain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "The manifest is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return f"Byte {error.start} is not UTF-8; save the manifest as UTF-8."
    return f"This is not TOML: {error}."


def _manifest(root: Section, problems: list[Problem], formats: Collection[str]) -> Manifest:
    model = root.table("model")
    format_ = model.choice("format", formats)
    remote = format_ in REMOTE_FORMATS
    manifest = Manifest(
        name=check_name(model, "name"),
        version=check_name(model, "version"),
        format=format_,
        file="" if remote else model.text("file"),
        sha256="" if remote else model.text("sha256"),
        task=model.choice("task", ("classification", "regression")),  # type: ignore[arg-type]
        classes=model.names("classes", most=MOST_CLASSES),
        positive_class=model.text("positive_class", "") or None,
        output=model.choice("output", ("probability", "log_odds", "raw")),  # type: ignore[arg-type]
        features=read_features(root, problems),
        background=_background(root.table("background")),
        golden=_golden(root.table("golden"), remote),
        card=_card(root.table("card")),
    )
    if remote:
        check_reserved(model, ("file", "sha256"), "a remote model has no file here")
    model.close()
    decision = _decision(root.table("decision")) if root.has("decision") else None
    return replace(manifest, decision=decision, remote=_remote(root, remote))


def _background(section: Section) -> BackgroundSpec:
    spec = BackgroundSpec(
        section.text("file"), section.count("rows"), section.text("sha256"), section.text("description", "")
    )
    section.close()
    return spec


def _golden(section: Section, remote: bool) -> GoldenSpec:
    library = section.text("library", "") if remote else section.text("library")
    version = section.text("version", "") if remote else section.text("version")
    spec = GoldenSpec(section.text("file"), section.text("sha256"), library, version)
    section.close()
    return spec


def _decision(section: Section) -> DecisionSpec:
    threshold = section.number("threshold")
    spec = DecisionSpec(
        threshold=0.0 if threshold is None else threshold,
        favourable=section.text("favourable"),
        adverse=section.text("adverse"),
        adverse_when=section.choice("adverse_when", ("at_or_above", "below"), "at_or_above"),  # type: ignore[arg-type]
        reference=section.choice("reference", ("average", "approved"), "average"),  # type: ignore[arg-type]
        reasons=section.count("reasons", 4, most=MOST_REASONS),
        due_days=section.count("due_days", 30, most=MOST_DAYS),
        jurisdiction=check_jurisdiction(section),
        verdict_reasons=section.names("verdict_reasons", most=MOST_VERDICT_REASONS),
    )
    if spec.favourable and spec.favourable == spec.adverse:
        section.note("adverse", "same", "favourable and adverse are the same words; they must differ.")
    section.close()
    return spec


def _card(section: Section) -> CardSpec:
    spec = CardSpec(
        owner=section.text("owner"),
        purpose=section.text("purpose"),
        trained_on=section.text("trained_on"),
        license=section.text("license"),
        file=section.text("file"),
    )
    section.close()
    return spec


def _remote(root: Section, remote: bool) -> RemoteSpec | None:
    if not remote:
        check_reserved(root, ("remote",), "only the formats kserve-v1 and oip-v2 are remote")
        return None
    section = root.table("remote")
    timeout = section.number("timeout_s", 10.0)
    spec = RemoteSpec(section.text("url"), section.text("model"), 10.0 if timeout is None else timeout)
    section.close()
    return spec


def _claims(manifest: Manifest) -> tuple[Claim, ...]:
    claims = [
        Claim("background.file", manifest.background.file, manifest.background.sha256),
        Claim("golden.file", manifest.golden.file, manifest.golden.sha256),
        Claim("card.file", manifest.card.file, None),
    ]
    if manifest.format not in REMOTE_FORMATS:
        claims.insert(0, Claim("model.file", manifest.file, manifest.sha256))
    return tuple(claim for claim in claims if file_fault(claim.file) is None)
