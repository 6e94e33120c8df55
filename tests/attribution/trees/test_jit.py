from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from explainer.attribution.trees.jit import compiled, inlined, record_type
from explainer.attribution.trees.program import GROUPS_TYPE, PROGRAM_TYPE, Groups, Program

SCRIPT = "from explainer.attribution.trees import jit, links; print(jit.SOURCES[:16])"


def test_kernels_are_kept_under_the_digest_of_all_sources(tmp_path: Path) -> None:
    """Files in NUMBA_CACHE_DIR carry the digest, so that what another version left is never read."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    kept = [path.name for path in tmp_path.rglob("*.nbi")]
    assert kept
    assert all(done.stdout.strip() in name for name in kept)


def test_only_the_given_signature_is_compiled() -> None:
    """A call with other types is refused instead of being compiled in the middle of a request."""
    kernel = compiled(numba.int64(numba.int64))(_twice)
    assert kernel(4) == 8
    with pytest.raises(TypeError):
        kernel("no")


def test_inlined_kernels_work_within_others() -> None:
    """An inlined kernel is an ordinary numba function to its callers."""
    assert inlined(_twice)(3) == 6


def test_record_types_match_what_numba_sees() -> None:
    """Uniform and mixed records get the numba type that their instances have."""
    assert isinstance(GROUPS_TYPE, numba.types.NamedUniTuple)
    assert GROUPS_TYPE.instance_class is Groups
    assert isinstance(PROGRAM_TYPE, numba.types.NamedTuple)
    assert PROGRAM_TYPE.instance_class is Program
    assert record_type(Groups, *[numba.int64] * 5).count == 5


def _twice(x):  # type: ignore[no-untyped-def]
    return 2 * x
