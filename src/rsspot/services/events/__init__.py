"""Events: the organization's event log, as the service reports it."""

GROUPS = {"events": "Events in the organization."}
