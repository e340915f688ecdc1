"""Virtual machines without Kubernetes: VM cloudspaces and their pools."""

GROUPS = {
    "vmcloudspaces": "Groups of plain virtual machines.",
    "vmpools": "Virtual machines won at auction.",
    "vmsshkeys": "Public keys that open virtual machines.",
}
