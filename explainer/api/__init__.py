"""The JSON border: parse the request, call one use case, render the answer."""
