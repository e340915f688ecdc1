"""Organizations: the accounts that are billed. Not a Kubernetes kind: they have their own endpoint and shape."""

GROUPS = {"organizations": "The organizations that the token's user belongs to."}
EXAMPLES = {"organizations get": ("rsspot organizations get my-org",)}
