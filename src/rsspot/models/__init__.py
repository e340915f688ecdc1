"""Words of the wire that no single kind owns."""
