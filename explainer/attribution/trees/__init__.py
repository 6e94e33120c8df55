"""Exact Shapley values of tree ensembles over raw features: prepare once per background, answer in microseconds."""
