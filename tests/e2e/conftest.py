"""Fixtures of these tests: simulators served in separate processes, shared with the simulator tests."""

from support.processes import environment, serve

__all__ = ["environment", "serve"]
