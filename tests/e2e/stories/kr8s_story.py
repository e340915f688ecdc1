"""The story with the `kr8s` package."""

import json
import sys

import kr8s
from kr8s.objects import new_class

BODY = json.loads(sys.argv[2])
CloudSpace = new_class(kind="CloudSpace", version="ngpc.rxt.io/v1", namespaced=True, plural="cloudspaces")
api = kr8s.api(kubeconfig=sys.argv[1])

print(len(list(api.get("cloudspaces"))))
space = CloudSpace(BODY, namespace=api.namespace, api=api)
space.create()
print(space.name)
space.patch({"metadata": {"labels": {"tier": "web"}}})
print(space.labels["tier"])
kind, watched = next(iter(api.watch("cloudspaces")))
# It watches from now on, so the first event is the object as it is.
print("modified" if (kind, watched.labels["tier"]) == ("ADDED", "web") else kind)
space.delete()
space.refresh()
print(bool(space.metadata["deletionTimestamp"]))
