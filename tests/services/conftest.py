"""A registrar for the tests of registrations."""

from support.registering import registrar

__all__ = ["registrar"]
