"""Many stacks, of one or many organizations, planned and applied side by side: the room of `rsspot fleet`."""
