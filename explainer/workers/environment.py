"""The environment that the nursery and its workers run in: one thread, one hash seed, the same modules, no secret."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

ONE_THREAD: Final = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OMP_THREAD_LIMIT",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "LOKY_MAX_CPU_COUNT",
    ),
    "1",
)
# What a call of the model has used is kept for the next one: given back to the kernel each time it comes back page by
# page, which took more than half of the time of a small network (docs/decisions/sampling.md).
HEAP: Final = {
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TOP_PAD_": str(16 * 2**20),
}
KEPT: Final = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "NUMBA_CACHE_DIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)

MODULE_PATH: Final = "NURSERY_PATH"
BEGIN: Final = f"""\
import gc, os, sys
gc.disable()
sys.path += [entry for entry in os.environ["{MODULE_PATH}"].split(os.pathsep) if entry not in sys.path]
from explainer.workers.nursery import main
main()
"""
# Its modules are looked for in its own path first, so that no file of the folder we happen to run in hides one of
# Python's. The collector rests until they are loaded: it would take a fifth of the time and find nothing.


def nursery_environment() -> dict[str, str]:
    """Return this process's environment as far as workers need it, and its module path."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **ONE_THREAD,
        **HEAP,
        "PYTHONHASHSEED": "0",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pandas loads pyarrow where it finds it
        MODULE_PATH: os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path),
    }
