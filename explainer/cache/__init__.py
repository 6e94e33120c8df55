"""Answers that were computed before; `key.py` digests everything that an answer depends on."""
