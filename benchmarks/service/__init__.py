"""The running service beside a naive one: latency, throughput, memory, start and error in one run."""
