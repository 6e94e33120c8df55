"""What is measured, how it is read by Prometheus, and the traces of requests."""
