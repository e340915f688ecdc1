"""Virtual machines without Kubernetes: VM cloudspaces, their pools and SSH keys."""

GROUPS = {
    "vmcloudspaces": "Groups of plain virtual machines.",
    "vmpools": "Virtual machines won at auction.",
    "vmsshkeys": "SSH public keys for logging in to virtual machines.",
}
SAMPLES = {
    "vmcloudspaces": "edge-vms --region us-central-dfw-1 --vm-ssh-key-name laptop",
    "vmpools": "web --vmcloudspace edge-vms --server-class gp.vs1.large-dfw --bid-price 0.03 --desired 2",
    "vmsshkeys": "laptop --public-key @id_ed25519.pub",
}
EXAMPLES = {
    "vmcloudspaces update": ("rsspot {group} update {name} --webhook @webhook-url.txt",),
    "vmcloudspaces patch": ("""rsspot {group} patch {name} '{{"webhook": null}}'""",),
    "vmpools update": ("rsspot {group} update {name} --desired 3",),
    "vmpools patch": ("""rsspot {group} patch {name} '{{"desired": 3}}'""",),
}
