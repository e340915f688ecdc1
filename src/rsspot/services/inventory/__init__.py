"""Inventory: the machines currently running in all cloudspaces and VM cloudspaces."""

GROUPS = {"inventory": "Machines currently running."}
BORROWED = {
    "inventory vmcloudspaces": "vmcloudspaces list",
    "inventory vmpools": "vmpools list",
    "inventory events": "events list",
}
EXAMPLES = {
    "inventory vmcloudspaces": ("rsspot inventory vmcloudspaces",),
    "inventory vmpools": ("rsspot inventory vmpools --vmcloudspace edge-vms",),
    "inventory events": ("rsspot inventory events --limit 10",),
}
