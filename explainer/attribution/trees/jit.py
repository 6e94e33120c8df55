"""Compile a kernel for one signature when it is defined, and keep the machine code on disk."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numba
from numba.core.caching import IndexDataCacheFile

Kernel = Callable[..., Any]


def compiled(signature: Any, *, unchecked: bool = False) -> Callable[[Kernel], Kernel]:
    """Decorate a kernel: compiled for `signature`, text or numba's, unless numba's cache has it already.

    `unchecked` leaves out the question whether a divisor is zero, which keeps a loop out of vector registers.

    The cache lies in NUMBA_CACHE_DIR, else beside the source, else in the user's cache folder: the first that can
    be written. Where none can, the kernel is compiled in memory at each start and a warning says so.
    """

    model: Literal["numpy", "python"] = "numpy" if unchecked else "python"

    def decorate(function: Kernel) -> Kernel:
        try:
            kernel: Any = numba.njit(cache=True, error_model=model)(function)
        except RuntimeError as problem:
            warnings.warn(
                "Compiled kernels cannot be kept, so every start compiles them again (about half a minute): "
                f"{problem}. Set NUMBA_CACHE_DIR to a folder that this process may write.",
                RuntimeWarning,
                stacklevel=2,
            )
            kernel = numba.njit(error_model=model)(function)
        else:
            _keep_by_sources(kernel._cache)
        kernel.compile(signature)
        kernel.disable_compile()
        return kernel  # type: ignore[no-any-return]

    return decorate


def inlined(function: Kernel) -> Kernel:
    """Decorate a small kernel that becomes part of its callers: a call would hand over every array of a record."""
    return numba.njit(inline="always")(function)


def record_type(kind: type, *fields: Any) -> Any:
    """The numba type of a NamedTuple class whose fields have these numba types."""
    if len(set(fields)) == 1:
        return numba.types.NamedUniTuple(fields[0], len(fields), kind)
    return numba.types.NamedTuple(list(fields), kind)


def _keep_by_sources(cache: Any) -> None:
    """Name the cache's files by the digest of all kernels, so that what another version left is never read.

    numba itself compares the time and size of one file: it would keep a kernel whose callee in another file has
    changed, and fails on the remains of a version whose records had other names.
    """
    cache._cache_file = IndexDataCacheFile(
        cache_path=cache.cache_path, filename_base=f"{cache._impl.filename_base}.{SOURCES[:16]}", source_stamp=SOURCES
    )


def _sources() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


SOURCES = _sources()
