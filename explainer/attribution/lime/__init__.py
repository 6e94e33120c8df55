"""Tabular LIME: neighbours of a row are drawn, and a weighted linear model is fitted to the outputs."""
