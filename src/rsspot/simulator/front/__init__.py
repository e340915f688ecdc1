"""Transports of the simulator: over HTTP or within the process. Does not decide how requests are answered."""
