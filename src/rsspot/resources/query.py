"""Builds the query parameters that several verbs use."""

from __future__ import annotations


def selector(labels: str | None) -> dict[str, str]:
    """A label selector as query parameters."""
    return {"labelSelector": labels} if labels else {}
