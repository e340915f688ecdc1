"""A Plan to reality: lease, intent, send, settle, wait. Yields events and never prints."""
