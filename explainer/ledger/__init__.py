"""Append-only, chained entries; one file per backend."""
