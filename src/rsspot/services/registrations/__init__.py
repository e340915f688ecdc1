"""Registrations: registers each virtual machine of a VM cloudspace with a cluster manager, once."""

GROUPS = {"vmregistrations": "Virtual machines registered with a cluster manager."}
