"""Authentication: people, organizations, logins and tokens. Does not handle API objects."""
