"""One SQLite file whose writes return only when they are on disk; concurrent writers share a transaction."""

from explainer.durable import ids
from explainer.durable.disk import create_private
from explainer.durable.file import DurableFile, Job

__all__ = ["DurableFile", "Job", "create_private", "ids"]
