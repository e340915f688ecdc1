"""Events: what happened in the organization, in the service's own words."""

GROUPS = {"events": "What happened in the organization."}
