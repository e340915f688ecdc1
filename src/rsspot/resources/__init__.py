"""The engine shared by all kinds: what a kind is, its verbs, and the registry of kinds. Knows no particular kind."""
