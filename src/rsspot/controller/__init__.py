"""A controller plans stacks again and again and, where it may, applies what differs: the room of `rsspot watch`."""
