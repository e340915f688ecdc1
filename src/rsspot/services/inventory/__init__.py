"""Inventory: the machines currently running in all cloudspaces and VM cloudspaces."""

GROUPS = {"inventory": "Machines currently running."}
