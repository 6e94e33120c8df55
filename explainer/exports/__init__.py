"""Resumable batch jobs: cut the input, keep finished chunks, put the files together, prove them."""
