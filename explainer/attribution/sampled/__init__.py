"""Shapley values from sampled pairs of complementary coalitions: designs, their linear estimator, and its error."""
