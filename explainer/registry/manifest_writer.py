"""Writes a records.Manifest as the text of a `manifest.toml`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from explainer.records import DecisionSpec, Feature, Manifest


def write_manifest(manifest: Manifest) -> str:
    """Return TOML text that reads back as an equal manifest; entries that have their default are left out."""
    parts = [_table("[model]", _model(manifest))]
    parts += [_table("[[features]]", _feature(feature)) for feature in manifest.features]
    background, golden, card = manifest.background, manifest.golden, manifest.card
    parts.append(
        _table(
            "[background]",
            {
                "file": background.file,
                "rows": background.rows,
                "sha256": background.sha256,
                "description": background.description or None,
            },
        )
    )
    parts.append(
        _table(
            "[golden]",
            {
                "file": golden.file,
                "sha256": golden.sha256,
                "library": golden.library or None,
                "version": golden.version or None,
            },
        )
    )
    parts.append(_table("[card]", dataclasses.asdict(card)))
    if (decision := manifest.decision) is not None:
        parts.append(_table("[decision]", _decision(decision)))
    if (remote := manifest.remote) is not None:
        parts.append(_table("[remote]", dataclasses.asdict(remote)))
    return "\n".join(parts)


def _model(manifest: Manifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "format": manifest.format,
        "file": manifest.file or None,
        "sha256": manifest.sha256 or None,
        "task": manifest.task,
        "classes": list(manifest.classes) or None,
        "positive_class": manifest.positive_class,
        "output": manifest.output,
    }


def _decision(decision: DecisionSpec) -> dict[str, Any]:
    """Required keys, and those of the others that are not their default."""
    given = {f.name: (getattr(decision, f.name), f.default) for f in dataclasses.fields(decision)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, (value, default) in given.items()
        if value != default
    }


def _feature(feature: Feature) -> dict[str, Any]:
    reason = feature.reason
    return {
        "name": feature.name,
        "type": feature.type,
        "categories": list(feature.categories) or None,
        "min": feature.min,
        "max": feature.max,
        "nullable": feature.nullable or None,
        "description": feature.description or None,
        "protected": feature.protected or None,
        "mutable": None if feature.mutable else False,
        "reason": {"increases": reason.increases, "decreases": reason.decreases} if reason else None,
        "group": feature.group,
        "step": feature.step,
        "changes": None if feature.changes == "any" else feature.changes,
    }


def _table(heading: str, entries: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_value(value)}\n" for key, value in entries.items() if value is not None]
    return f"{heading}\n{''.join(lines)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(item)}' for key, item in value.items())} }}"
    return repr(float(value)) if isinstance(value, float) else str(int(value))


def _text(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's as well, which also forbids a bare DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
