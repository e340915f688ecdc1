"""The SDK's entry point: clients, their organization, and snapshots of the live objects."""
