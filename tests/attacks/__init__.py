"""Each threat as a program that tries."""
