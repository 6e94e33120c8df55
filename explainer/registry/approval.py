"""Whether somebody has let a version into service: a mark beside it, which names who and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from explainer.errors import Conflict, InvalidOption, ModelRefused, Problem
from explainer.records import ModelVersion, Notice

APPROVED = ".approved"
BLOCKING = frozenset({"scaffold", "background-shifted", "vetting-unfinished"})  # findings that a person must accept
PENDING = "pending"  # codes of the notice that a version carries
ADMITTED = "approved"
SHORTEST, LONGEST = 10, 500  # characters of a reason


@dataclass(frozen=True, slots=True)
class Approval:
    """`digest` is that of the approved version, `accepted` gives the reason why each blocking finding was accepted."""

    digest: str
    approved_at: str
    approved_by: str
    accepted: dict[str, str]


def pending(version: ModelVersion) -> bool:
    """Whether the version awaits approval; it is not served then."""
    return any(notice.code == PENDING for notice in version.notices)


def blocking(version: ModelVersion) -> tuple[Notice, ...]:
    """Return the findings that somebody has to accept with a reason, or has accepted."""
    return tuple(notice for notice in version.notices if notice.code in BLOCKING)


def waiting(version: ModelVersion) -> str:
    """Return the sentence that says what the version waits for."""
    m = version.manifest
    found = ", ".join(sorted({notice.code for notice in blocking(version)}))
    why = f", because of a finding: {found}" if found else ""
    return (
        f"{m.name} version {m.version} waits for approval{why}. Look at its page, and approve it with "
        f"`explainer approve {m.name} {m.version}`."
    )


def with_approval(version: ModelVersion, needed: bool) -> ModelVersion:
    """Return the version with a notice that says whether it is approved, where approval is needed.

    A mark of another version counts for nothing. Raises ModelRefused when the mark cannot be read.
    """
    if not needed:
        return version
    mark = version.folder.parent / APPROVED / version.folder.name
    try:
        record: Any = orjson.loads(mark.read_bytes())
        approval = Approval(**record)
        reasons = "".join(f" {code} was accepted: {reason}" for code, reason in approval.accepted.items())
    except FileNotFoundError:
        approval, reasons = None, ""
    except (OSError, ValueError, TypeError, AttributeError):
        detail = f"The mark {mark} cannot be read; the version counts as not approved. Restore the file."
        raise ModelRefused(detail, problems=[Problem(mark.name, "changed", detail)]) from None
    if approval is None or approval.digest != version.digest:
        notice = Notice(PENDING, waiting(version))
    else:
        said = f"Approved at {approval.approved_at[:16]} by {approval.approved_by}.{reasons}"
        notice = Notice(ADMITTED, said)
    return replace(version, notices=(*version.notices, notice))


def checked(version: ModelVersion, accepted: Mapping[str, str]) -> dict[str, str]:
    """Return the reasons, trimmed; raises Conflict or InvalidOption when the version cannot be approved with them."""
    title = f"{version.manifest.name} version {version.manifest.version}"
    if version.retired_at is not None:
        raise Conflict(f"{title} was retired at {version.retired_at} and cannot be approved any more.")
    if not pending(version):
        raise Conflict(f"{title} does not wait for approval.")
    reasons = {code: reason.strip() for code, reason in accepted.items()}
    due = {notice.code for notice in blocking(version)}
    problems = [
        Problem(
            f"accept.{code}",
            "required",
            f"Say why the finding {code!r} is acceptable, in {SHORTEST} to {LONGEST} letters.",
        )
        for code in sorted(due)
        if not SHORTEST <= len(reasons.get(code, "")) <= LONGEST
    ]
    problems += [
        Problem(f"accept.{code}", "unknown", f"{title} has no finding {code[:40]!r} that could be accepted.")
        for code in sorted(set(reasons) - due)
    ]
    if problems:
        raise InvalidOption(problems[0].detail, problems=problems)
    return reasons
