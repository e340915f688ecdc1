"""Served simulators for the tests of this folder; they are those of the simulator tests."""

from support.processes import environment, serve

__all__ = ["environment", "serve"]
