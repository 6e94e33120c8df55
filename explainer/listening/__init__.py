"""The gunicorn worker that reads requests whole before a thread is given to them."""

from explainer.listening.limits import Limits
from explainer.listening.worker import listening

__all__ = ["Limits", "listening"]
