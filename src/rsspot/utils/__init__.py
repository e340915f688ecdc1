"""Small pure tools with no knowledge of Spot, one file a subject. Imports no other room."""
