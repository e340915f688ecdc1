"""Authentication: how we get tokens, cache them and add them to requests."""
