"""What we remember in state.db: never the truth, always the evidence."""
