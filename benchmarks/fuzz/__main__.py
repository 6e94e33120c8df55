"""At least 5,000 requests made from the OpenAPI document, with keys of four roles: no 5xx and no undocumented answer.

`python -m benchmarks.fuzz [seed]`. What fails is printed with a command that repeats it; the exit status is 1 then.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.fuzz.running import ROLES, fuzz, service

LEAST = 5_000
EXAMPLES = 12


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as at:
        found = [fuzz(at, role, EXAMPLES, seed) for role in ROLES]
    for one in found:
        print(f"{one.role:14} {one.requests:6} requests: {'nothing' if one.good else 'FAILURES'} found")
        if not one.good:
            print(one.said)
    total = sum(one.requests for one in found)
    print(f"{'all':14} {total:6} requests, seed {seed}")
    return 0 if total >= LEAST and all(one.good for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
