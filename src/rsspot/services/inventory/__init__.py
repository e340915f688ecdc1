"""Inventory: the machines that run right now, whichever group they belong to."""

GROUPS = {"inventory": "Machines that run right now."}
