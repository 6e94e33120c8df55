"""A file whose change tells every process of a host to forget what it holds in its memory."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from explainer.durable import create_private

log = logging.getLogger(__name__)

BYTES = 16


class Stamp:
    """Looked at before every use of a memory: two microseconds. A file that is not there never changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._now()

    def renew(self) -> bool:
        """Have every process forget, this one too; False, and a line in the log, where the file cannot be written."""
        part = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            create_private(part)
            part.write_bytes(secrets.token_bytes(BYTES))
            part.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            log.error("%s could not be renewed, so other processes hold their answers: %s", self._path, error)
            return False
        return True

    def renewed(self) -> bool:
        """Whether it was renewed since this process looked last."""
        now = self._now()
        changed, self._seen = now != self._seen, now
        return changed

    def _now(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path)  # noqa: PTH116 - a third of the time of Path.stat, for every request
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns
