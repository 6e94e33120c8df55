"""Tests of the tree engine."""
