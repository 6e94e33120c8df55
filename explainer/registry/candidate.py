"""Checks a model folder from outside: everything that can be known of it before its model is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from explainer.errors import InvalidRows, ModelRefused, Problem
from explainer.records import FloatArray, LoadOrder, Manifest, Notice
from explainer.registry import signature
from explainer.registry.digests import background_digest, file_digest, model_digest
from explainer.registry.golden import read_golden
from explainer.registry.manifest import MOST_BYTES, Claim, notices, parse_manifest, refusal
from explainer.registry.rows import MOST_PROBLEMS, code_rows
from explainer.registry.tables import read_table

SAMPLES = "samples.csv"
MOST_MODEL_BYTES = 4_000_000_000
MOST_TABLE_BYTES = 200_000_000
MOST_CARD_BYTES = 1_000_000
MOST_BACKGROUND_ROWS = 50_000
MOST_SAMPLES = 1000
NEEDS_SIGNATURE = frozenset({"sklearn-joblib"})

_LIMITS = {"model.file": MOST_MODEL_BYTES, "card.file": MOST_CARD_BYTES}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A folder that passed every check from outside. `files` gives the checksum of each file it consists of."""

    manifest: Manifest
    manifest_bytes: bytes
    signature_bytes: bytes | None
    folder: Path
    files: Mapping[str, str]
    digest: str
    background: FloatArray
    golden_rows: FloatArray
    golden_predictions: FloatArray
    notices: tuple[Notice, ...]
    signed_by: str | None

    def order(self) -> LoadOrder:
        """Return what a worker needs to open this model; a remote one has its folder as `model_path`."""
        return LoadOrder(
            manifest=self.manifest,
            digest=self.digest,
            model_path=self.folder / self.manifest.file if self.manifest.file else self.folder,
            background=self.background,
            background_digest=background_digest(self.manifest.features, self.background),
            golden_rows=self.golden_rows,
            golden_predictions=self.golden_predictions,
            signed_by=self.signed_by,
        )


def _why_unsigned(sealed: bytes | None, trusted_keys: Path | None) -> str:
    if sealed is None:
        return "it is not signed; run `explainer models sign FOLDER --key KEY`."
    if trusted_keys is None:
        return "it is signed, but EXPLAINER_TRUSTED_KEYS is not set, so no key is trusted."
    return f"none of the keys in {trusted_keys} signed it as it is now."


def check_folder(folder: Path, trusted_keys: Path | None) -> Candidate:
    """Check the model in `folder`; raises ModelRefused that lists every problem found."""
    data = _own_bytes(folder, signature.MANIFEST, MOST_BYTES)
    if data is None:
        detail = f"{folder} holds no {signature.MANIFEST} that is a plain file; give the folder of a model."
        raise ModelRefused(detail, problems=[Problem(signature.MANIFEST, "required", detail)])
    reading = parse_manifest(data)
    problems = list(reading.problems)
    files = _files(folder, reading.claims, problems)
    sealed = _own_bytes(folder, signature.SIGNATURE, signature.MOST_BYTES)
    signer = _signer(data, sealed, trusted_keys, problems)
    manifest = reading.manifest
    if manifest is None:
        raise refusal(folder.name, problems)
    if manifest.format in NEEDS_SIGNATURE and signer is None:
        why = _why_unsigned(sealed, trusted_keys)
        detail = f"{manifest.format} runs code from its file, so its manifest must be signed by a trusted key: {why}"
        problems.append(Problem(signature.SIGNATURE, "signature", detail))
    background = _background(folder, manifest, files, problems)
    golden_file = manifest.golden.file
    golden = read_golden(folder / golden_file, manifest, problems) if golden_file in files else None
    if SAMPLES in files:
        _table(folder / SAMPLES, manifest, MOST_SAMPLES, problems)
    if problems or background is None or golden is None:
        raise refusal(f"{manifest.name} version {manifest.version}", problems)
    return Candidate(
        manifest=manifest,
        manifest_bytes=data,
        signature_bytes=sealed,
        folder=folder,
        files=files,
        digest=model_digest(manifest, files),
        background=background,
        golden_rows=golden[0],
        golden_predictions=golden[1],
        notices=notices(manifest),
        signed_by=signer,
    )


def _own_bytes(folder: Path, name: str, most: int) -> bytes | None:
    """Return up to one byte more than `most` of a plain file, or None when there is none of that name."""
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _signer(manifest: bytes, sealed: bytes | None, trusted: Path | None, problems: list[Problem]) -> str | None:
    if sealed is None:
        return None
    try:
        return signature.verify_bytes(manifest, sealed, trusted)
    except ModelRefused as error:
        problems.extend(error.problems)
        return None


def _files(folder: Path, claims: tuple[Claim, ...], problems: list[Problem]) -> dict[str, str]:
    """Return the checksum of every claimed file that is there and is what the manifest says it is."""
    found: dict[str, str] = {}
    if (folder / SAMPLES).exists():
        claims = (*claims, Claim(SAMPLES, SAMPLES, None))
    for claim in claims:
        limit = _LIMITS.get(claim.where, MOST_TABLE_BYTES)
        if fault := _file_fault(folder / claim.file, limit):
            problems.append(Problem(claim.where, *fault))
            continue
        digest = file_digest(folder / claim.file)
        if claim.sha256 is not None and digest != claim.sha256:
            detail = (
                f"The checksum of {claim.file} is {digest}, not the declared one: the file or the manifest changed."
            )
            problems.append(Problem(claim.where.replace("file", "sha256"), "checksum", detail))
            continue
        found[claim.file] = digest
    return found


def _file_fault(path: Path, limit: int) -> tuple[str, str] | None:
    try:
        status = path.lstat()
    except OSError:
        return "missing-file", f"There is no file {path.name} beside the manifest."
    if not stat.S_ISREG(status.st_mode):
        return "path", f"{path.name} is not a plain file; links, folders and devices are not followed."
    if not 0 < status.st_size <= limit:
        return "size", f"{path.name} has {status.st_size} bytes; it needs 1 to {limit}."
    return None


def _background(
    folder: Path, manifest: Manifest, files: Mapping[str, str], problems: list[Problem]
) -> FloatArray | None:
    if manifest.background.file not in files:
        return None
    rows = _table(folder / manifest.background.file, manifest, MOST_BACKGROUND_ROWS, problems)
    if rows is None:
        return None
    if len(rows) != manifest.background.rows:
        detail = f"The manifest declares {manifest.background.rows} rows; {manifest.background.file} has {len(rows)}."
        problems.append(Problem("background.rows", "rows", detail))
        return None
    return rows


def _table(path: Path, manifest: Manifest, most: int, problems: list[Problem]) -> FloatArray | None:
    """Return the coded rows of a table, or None after its problems were added."""
    rows = []
    faults: list[Problem] = []
    try:
        for line in read_table(path, manifest.features):
            faults += [Problem(f"{path.name} {p.where}", p.rule, p.detail) for p in line.problems]
            rows.append(line.row)
            if len(faults) >= MOST_PROBLEMS or len(rows) > most:
                break
    except InvalidRows as error:
        faults += error.problems
    if not faults and not 0 < len(rows) <= most:
        faults.append(Problem(path.name, "rows", f"{path.name} must hold 1 to {most} rows."))
    problems += faults[:MOST_PROBLEMS]
    return None if faults else code_rows(manifest.features, rows)
