"""Registrations: every virtual machine of a group made known to a cluster manager, once."""

GROUPS = {"vmregistrations": "Virtual machines made known to a cluster manager."}
