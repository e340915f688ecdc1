"""A registrar for the tests of scripts that register machines."""

from support.registering import registrar

__all__ = ["registrar"]
