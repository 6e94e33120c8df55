"""The same models in a nursery that has loaded everything that real workers share."""

from explainer.workers.preload import preload
from tests.workers.fake_models import open_fake

__all__ = ["open_fake", "preload"]
