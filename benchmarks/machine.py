"""What a measurement ran on: date, processor, load, Python and libraries."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

LIBRARIES = ("explainer", "numpy", "scipy", "numba", "scikit-learn", "shap", "lime", "xgboost-cpu", "flask", "gunicorn")


def description() -> str:
    """A few lines for the top of a result."""
    present = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB; "
        f"Linux {platform.release().split('-')[0]}; load {load()} when it began\n"
        f"Python {platform.python_version()}; {present}"
    )


def load() -> str:
    """How many processes wanted a core: over one minute, over five."""
    one, five, _ = os.getloadavg()
    return f"{one:.1f} (1 min), {five:.1f} (5 min)"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
