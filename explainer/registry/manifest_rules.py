"""What must hold between the entries of a manifest once each of them could be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from explainer.errors import Problem
from explainer.records import Manifest, RemoteSpec
from explainer.registry.section import Section

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,127}")
JURISDICTION = re.compile(r"[a-z0-9-]{1,40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
OWN_FILES = frozenset({"manifest.toml", "manifest.sig", "registration.json", "samples.csv"})
LONGEST_WAIT_S = 300.0

_NAME_RULES = {
    "name": (NAME, "1 to 63 small letters, digits and hyphens, beginning with a letter or digit"),
    "version": (VERSION, "1 to 32 letters, digits, dots, underscores and hyphens, beginning with a letter or digit"),
}


def check_name(section: Section, key: str) -> str:
    """Read `name` or `version` of a model; both become folder names, so their letters are few."""
    value = section.text(key)
    pattern, words = _NAME_RULES[key]
    if value and not pattern.fullmatch(value):
        section.note(key, "name", f"{value[:70]!r} cannot be a {key}: it needs {words}.")
    return value


def check_jurisdiction(section: Section) -> str:
    """Read `jurisdiction`; whether there is such a template is not known here, and said when a notice is written."""
    value = section.text("jurisdiction", "generic")
    if not JURISDICTION.fullmatch(value):
        detail = f"{value[:50]!r} cannot be a jurisdiction: it needs 1 to 40 small letters, digits and hyphens."
        section.note("jurisdiction", "name", detail)
    return value


def check_reserved(section: Section, keys: Sequence[str], why: str) -> None:
    """Note every key of `keys` that is there although it may not be."""
    for key in keys:
        if section.has(key):
            section.text(key, "") if key != "remote" else section.table(key)
            section.note(key, "not-allowed", f"{key} must be left out: {why}.")


def check_manifest(manifest: Manifest, remote: bool, problems: list[Problem]) -> None:
    """Add the problems of files, checksums, task, decision and remote address to `problems`."""
    _check_files(manifest, problems)
    _check_task(manifest, problems)
    _check_decision(manifest, problems)
    if remote and manifest.remote is not None:
        _check_remote(manifest.remote, problems)


def _check_files(manifest: Manifest, problems: list[Problem]) -> None:
    named = {
        "model.file": manifest.file,
        "background.file": manifest.background.file,
        "golden.file": manifest.golden.file,
        "card.file": manifest.card.file,
    }
    seen: dict[str, str] = {}
    for where, file in named.items():
        if file and (fault := file_fault(file)):
            problems.append(Problem(where, "path", f"{file[:80]!r} {fault}"))
        elif file and seen.setdefault(file, where) != where:
            problems.append(Problem(where, "duplicate", f"{file!r} is named by {seen[file]} already."))
    sums = {
        "model.sha256": manifest.sha256,
        "background.sha256": manifest.background.sha256,
        "golden.sha256": manifest.golden.sha256,
    }
    for where, sha256 in sums.items():
        if sha256 and not SHA256.fullmatch(sha256):
            detail = f"{sha256[:70]!r} is not a SHA-256 checksum: it needs 64 small hexadecimal digits."
            problems.append(Problem(where, "sha256", detail))


def file_fault(file: str) -> str | None:
    """Say why `file` is not the plain name of a file that a manifest may name, or return None."""
    if file in OWN_FILES:
        return "is a name that the registry keeps for itself; choose another."
    if not FILE.fullmatch(file) or ".." in file:
        return "is not the plain name of a file beside the manifest; folders, '..' and links are not followed."
    return None


def _check_task(manifest: Manifest, problems: list[Problem]) -> None:
    if manifest.task == "regression":
        if manifest.classes:
            problems.append(Problem("model.classes", "not-allowed", "A regression has no classes; remove the list."))
        if manifest.positive_class is not None:
            problems.append(Problem("model.positive_class", "not-allowed", "A regression has no class; remove it."))
        if manifest.output in ("probability", "log_odds"):
            detail = f'A regression cannot answer as {manifest.output}; write output = "raw".'
            problems.append(Problem("model.output", "task", detail))
    elif manifest.task == "classification":
        _check_classes(manifest, problems)


def _check_classes(manifest: Manifest, problems: list[Problem]) -> None:
    if len(manifest.classes) < 2 and not any(p.where.startswith("model.classes") for p in problems):
        detail = "A classification needs at least two classes, in the order of the model's outputs."
        problems.append(Problem("model.classes", "required", detail))
    elif manifest.positive_class is not None and manifest.positive_class not in manifest.classes:
        detail = f"{manifest.positive_class[:60]!r} is not one of the classes."
        problems.append(Problem("model.positive_class", "choice", detail))


def _check_decision(manifest: Manifest, problems: list[Problem]) -> None:
    if manifest.decision is None or manifest.task != "classification":
        return
    if not 0.0 <= manifest.decision.threshold <= 1.0:
        detail = f"The threshold {manifest.decision.threshold:g} is compared with a probability: 0 to 1."
        problems.append(Problem("decision.threshold", "range", detail))
    if manifest.positive_class is None:
        detail = "A decision needs model.positive_class: the class whose probability meets the threshold."
        problems.append(Problem("model.positive_class", "required", detail))


def _check_remote(remote: RemoteSpec, problems: list[Problem]) -> None:
    if remote.url and (fault := _url_fault(remote.url)):
        problems.append(Problem("remote.url", "url", fault))
    if not 0.0 < remote.timeout_s <= LONGEST_WAIT_S:
        detail = f"timeout_s must lie between 0 and {LONGEST_WAIT_S:g} seconds."
        problems.append(Problem("remote.timeout_s", "range", detail))


def _url_fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        return f"{url[:80]!r} is not an address; write http://host[:port][/path] or https://..."
    if parts.username is not None or parts.password is not None:
        return "The address holds a user name or password; a manifest is read by many, keep secrets out of it."
    if parts.query or parts.fragment:
        return "The address has a '?' or '#' part; write the server's root only."
    return None
