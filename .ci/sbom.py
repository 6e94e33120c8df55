"""The software bill of materials of a lock file, as CycloneDX 1.6 JSON: `python .ci/sbom.py < requirements.lock`."""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; ([^\\]+?))?(?: \\)?$")
HASH = re.compile(r"^\s+--hash=sha256:([0-9a-f]{64})")
VIA = re.compile(r"^\s+#\s+(?:via\s+)?(\S.*)$")
PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def components(lock: str) -> list[dict[str, Any]]:
    """One for each pinned version; `hashes` are those of all files that may be installed, `via` who asks for it."""
    found: list[dict[str, Any]] = []
    for line in lock.splitlines():
        if (pinned := PINNED.match(line)) is not None:
            name, version, marker = pinned.groups()
            reference = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}"
            found.append({"type": "library", "bom-ref": reference, "name": name, "version": version, "purl": reference})
            found[-1] |= {"hashes": [], "via": []}
            if marker:
                found[-1]["properties"] = [{"name": "explainer:installed-where", "value": marker}]
        elif (digest := HASH.match(line)) is not None:
            found[-1]["hashes"].append({"alg": "SHA-256", "content": digest[1]})
        elif found and (via := VIA.match(line)) is not None and via[1] != "via":
            found[-1]["via"].append(via[1].split()[0])
        elif line.strip() and not line.startswith("#") and not line.strip().startswith("#"):
            raise SystemExit(f"This line of the lock file is not understood: {line!r}")
    return found


def bill(lock: str) -> dict[str, Any]:
    """The whole document: the same lock file gives the same bytes."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    pinned = components(lock)
    needs: dict[str, list[str]] = {own: [], **{one["bom-ref"]: [] for one in pinned}}
    names: dict[str, list[str]] = {project["name"]: [own]}
    for one in pinned:
        names.setdefault(one["name"], []).append(one["bom-ref"])
    for one in pinned:
        for asking in one.pop("via"):
            for reference in names[asking]:
                needs[reference].append(one["bom-ref"])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own + lock)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "purl": own,
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": pinned,
        "dependencies": [{"ref": one, "dependsOn": sorted(set(others))} for one, others in needs.items()],
    }


if __name__ == "__main__":
    json.dump(bill(sys.stdin.read()), sys.stdout, indent=1)
    sys.stdout.write("\n")
