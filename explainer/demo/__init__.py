"""The demonstration models: their data, training and cards, run only as a process of their own."""
