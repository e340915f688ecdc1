"""Events: what happened in the organisation, in the service's own words."""

GROUPS = {"events": "What happened in the organisation."}
