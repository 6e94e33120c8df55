"""Model files are measured before they are read."""

from __future__ import annotations

from pathlib import Path

from explainer.errors import Problem


def too_large(path: Path, most: int) -> list[Problem]:
    """The problem with a file that is not there, is empty, or has more than `most` bytes."""
    try:
        size = path.stat().st_size
    except OSError as error:
        return [Problem("model.file", "missing", f"It cannot be read: {error.strerror}.")]
    if not path.is_file() or not size:
        return [Problem("model.file", "missing", "It is empty or not a file.")]
    if size > most:
        return [Problem("model.file", "size", f"It has {size} bytes; at most {most} are opened in this format.")]
    return []
