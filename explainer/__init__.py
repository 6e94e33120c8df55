"""A row goes in with a name, and comes out with the reasons, how sure we are of them, and a receipt."""

__version__ = "0.1.0"
