"""How a request travels: from a Call to a document or the right error."""
