"""The engine that every kind runs on: what a kind is, its verbs, and where kinds are found. Knows none of them."""
