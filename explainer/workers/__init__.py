"""Processes that hold model code and nothing else, and the web process's side of them."""
