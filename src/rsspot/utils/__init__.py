"""Small helpers that know nothing about Spot, one file per topic."""
