"""Registrars: what is asked to register a machine, each sort in a file of its own behind one protocol."""
