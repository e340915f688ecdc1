"""Policies: expressions of a repository that have to hold for its plans. See docs/policies.md."""
