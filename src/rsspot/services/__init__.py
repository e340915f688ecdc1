"""The only room that knows kinds: one folder for each domain, found by looking, listed nowhere."""
