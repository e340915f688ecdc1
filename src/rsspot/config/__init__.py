"""The user's settings: config files, profiles, and which source takes precedence."""
