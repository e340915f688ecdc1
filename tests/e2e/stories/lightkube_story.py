"""The story with the `lightkube` package."""

import json
import sys

import lightkube
from lightkube.config.kubeconfig import KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.types import PatchType

BODY = json.loads(sys.argv[2])
CloudSpace = create_namespaced_resource("ngpc.rxt.io", "v1", "CloudSpace", "cloudspaces")
client = lightkube.Client(config=KubeConfig.from_file(sys.argv[1]))

print(len(list(client.list(CloudSpace))))
created = client.create(CloudSpace(BODY))
name = created.metadata.name
print(name)
patch = {"metadata": {"labels": {"tier": "web"}}}
print(client.patch(CloudSpace, name, patch, patch_type=PatchType.MERGE).metadata.labels["tier"])
kind, _ = next(iter(client.watch(CloudSpace, resource_version=created.metadata.resourceVersion)))
print(kind)
client.delete(CloudSpace, name)
print(bool(client.get(CloudSpace, name).metadata.deletionTimestamp))
