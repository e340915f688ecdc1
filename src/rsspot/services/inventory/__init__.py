"""Inventory: the machines currently running in all cloudspaces and VM cloudspaces."""

GROUPS = {"inventory": "Machines currently running."}
BORROWED = {
    "inventory vmcloudspaces": "vmcloudspaces list",
    "inventory vmpools": "vmpools list",
    "inventory events": "events list",
}
