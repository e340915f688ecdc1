"""The story with the `kubernetes` package."""

import json
import sys

import kubernetes

BODY = json.loads(sys.argv[2])
kubernetes.config.load_kube_config(sys.argv[1])
_, context = kubernetes.config.list_kube_config_contexts(sys.argv[1])
where = ("ngpc.rxt.io", "v1", context["context"]["namespace"], "cloudspaces")
api = kubernetes.client.CustomObjectsApi()

print(len(api.list_namespaced_custom_object(*where)["items"]))
created = api.create_namespaced_custom_object(*where, BODY)
name = created["metadata"]["name"]
print(name)
patch = {"metadata": {"labels": {"tier": "web"}}}
print(api.patch_namespaced_custom_object(*where, name, patch)["metadata"]["labels"]["tier"])
since = created["metadata"]["resourceVersion"]
stream = kubernetes.watch.Watch().stream(api.list_namespaced_custom_object, *where, resource_version=since)
print(next(stream)["type"])
api.delete_namespaced_custom_object(*where, name)
print(bool(api.get_namespaced_custom_object(*where, name)["metadata"]["deletionTimestamp"]))
