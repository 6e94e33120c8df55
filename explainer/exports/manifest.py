"""The manifest of an export: what went in, what came out, by what it was computed; signed by the installation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from explainer.exports.cutting import Cut
from explainer.exports.jobs import Job
from explainer.exports.spec import Spec
from explainer.records import BackgroundRows

FORM = "explainer-export-manifest-v1"
TOTALS = ("warnings", "tolerance_misses", "evaluations", "exact_rows", "methods", "largest_additivity_gap")


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the export."""

    name: str
    sha256: str
    bytes: int


def manifest_bytes(
    job: Job, known: Cut, files: list[Written], summary: dict[str, Any], program: Mapping[str, str], public: str
) -> bytes:
    """The manifest as JSON with sorted keys: the only file of an export that holds times."""
    progress, spec = job.progress, job.spec
    plain = {
        "form": FORM,
        "id": job.id,
        "principal": job.principal,
        "created_at": _time(job.created),
        "finished_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "seconds": job.seconds,
        "model": {"name": spec.model, "version": spec.version, "digest": spec.digest, "background": spec.background},
        "settings": settings(spec),
        "program": dict(program),
        "input": [
            {"name": name, "sha256": digest, "bytes": known.sizes[name]} for name, digest in known.digests.items()
        ],
        "files": [dataclasses.asdict(file) for file in files],
        "counts": {
            "rows": progress.rows,
            "explained": progress.explained,
            "rejected": progress.rejected,
            "skipped": progress.skipped,
            "chunks": progress.chunks,
        },
        "totals": {
            key: summary[key]
            for key in (
                "warnings",
                "tolerance_misses",
                "evaluations",
                "exact_rows",
                "methods",
                "largest_additivity_gap",
            )
        },
        "public_key": public,
    }
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def settings(spec: Spec) -> dict[str, Any]:
    """What was asked for, in JSON values; rows of a background by their digest."""
    options = dataclasses.asdict(spec.options)
    options["class"] = options.pop("class_name")
    given = spec.options.background
    if isinstance(given, BackgroundRows):
        options["background"] = f"rows:{given.digest}"
    return {
        **options,
        "format": spec.output,
        "form": spec.form,
        "carry": list(spec.carry),
        "ignore": list(spec.ignore),
        "where": spec.where,
        "stop_on_reject": spec.stop_on_reject,
        **({} if spec.decisions is None else {"decisions": spec.decisions}),
        "delimiter": spec.source.delimiter,
        "encoding": spec.source.encoding,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
