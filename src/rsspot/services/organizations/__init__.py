"""Organisations: whom the bill goes to. Not a Kubernetes kind: another endpoint, another shape."""

GROUPS = {"organizations": "The organisations that the token's user belongs to."}
