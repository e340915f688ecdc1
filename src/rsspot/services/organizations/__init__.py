"""Organizations: whom the bill goes to. Not a Kubernetes kind: another endpoint, another shape."""

GROUPS = {"organizations": "The organizations that the token's user belongs to."}
