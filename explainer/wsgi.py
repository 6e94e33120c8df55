"""The web front door: builds the app that gunicorn serves."""

from __future__ import annotations

import atexit

from flask_openapi3.openapi import OpenAPI

from explainer.app import create_app
from explainer.settings import Settings
from explainer.usecases.serving import Serving
from explainer.wiring import furnish


def application() -> OpenAPI:
    """Furnish the rooms, start the workers and begin to open the registered models."""
    rooms = furnish(Settings.from_environment())
    rooms.workers.start()
    serving = Serving(rooms)
    serving.start()
    atexit.register(rooms.workers.shutdown)
    return create_app(rooms, serving)
