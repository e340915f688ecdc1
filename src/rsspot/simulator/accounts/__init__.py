"""Who may speak: people, organisations, logins and the tokens that prove them. Knows no objects."""
