"""The HTTP layer: sends a Call and returns a document or raises the matching error."""
