"""The web front door: builds the app that gunicorn serves."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from explainer.settings import Settings
from explainer.usecases.serving import Serving
from explainer.wiring import furnish

if TYPE_CHECKING:
    from flask_openapi3.openapi import OpenAPI


def application() -> OpenAPI:
    """Furnish the rooms, start the workers and begin to open the registered models, then build the app."""
    rooms = furnish(Settings.from_environment())
    rooms.workers.start()
    serving = Serving(rooms)
    serving.start()
    atexit.register(rooms.workers.shutdown)
    from explainer.app import create_app  # half a second in which the workers' nursery already starts

    return create_app(rooms, serving)
