"""Measurements that can be repeated: `python -m benchmarks`, or one of them by its module."""
