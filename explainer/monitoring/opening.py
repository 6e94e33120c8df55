"""The meters of one process of the service, as the settings say."""

from __future__ import annotations

from explainer.monitoring.cells import Cells
from explainer.monitoring.collecting import CollectorTraces
from explainer.monitoring.page import FOLDER
from explainer.monitoring.recording import LIVE, FileMeters
from explainer.settings import Settings


def meters_of(settings: Settings, role: str) -> FileMeters:
    """Return meters whose file is claimed when something is first counted, and so by the process that counts.

    Raises SettingsError when traces are asked for that cannot be sent.
    """
    traces = CollectorTraces(settings.otel_endpoint, role) if settings.otel_endpoint else None
    return FileMeters(Cells(settings.var / FOLDER, role, LIVE), traces)
