"""A fuzzer that reads the OpenAPI document and asks a real service."""
