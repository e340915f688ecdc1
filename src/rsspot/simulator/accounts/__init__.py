"""Who may speak: people, organizations, logins and the tokens that prove them. Knows no objects."""
