"""The desk: the HTTP API for people and machines, beside the loop and never in its way."""
