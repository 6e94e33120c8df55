"""Hostile model files by the thousand, each tried as a registration tries it."""
