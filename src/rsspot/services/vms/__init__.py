"""Virtual machines without Kubernetes: VM cloudspaces, their pools and SSH keys."""

GROUPS = {
    "vmcloudspaces": "Groups of plain virtual machines.",
    "vmpools": "Virtual machines won at auction.",
    "vmsshkeys": "SSH public keys for logging in to virtual machines.",
}
