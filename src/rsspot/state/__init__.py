"""Everything stored in state.db. It is evidence of past actions, never the source of truth."""
