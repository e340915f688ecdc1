"""The story with the `kubernetes-asyncio` package."""

import asyncio
import json
import sys

from kubernetes_asyncio import client, config, watch

BODY = json.loads(sys.argv[2])


async def story():
    await config.load_kube_config(sys.argv[1])
    _, context = config.list_kube_config_contexts(sys.argv[1])
    where = ("ngpc.rxt.io", "v1", context["context"]["namespace"], "cloudspaces")
    async with client.ApiClient() as connection:
        api = client.CustomObjectsApi(connection)
        print(len((await api.list_namespaced_custom_object(*where))["items"]))
        created = await api.create_namespaced_custom_object(*where, BODY)
        name = created["metadata"]["name"]
        print(name)
        patch = {"metadata": {"labels": {"tier": "web"}}}
        merge = {"_content_type": "application/merge-patch+json"}
        patched = await api.patch_namespaced_custom_object(*where, name, patch, **merge)
        print(patched["metadata"]["labels"]["tier"])
        since = created["metadata"]["resourceVersion"]
        stream = watch.Watch().stream(api.list_namespaced_custom_object, *where, resource_version=since)
        async with stream:
            print((await anext(stream))["type"])
        await api.delete_namespaced_custom_object(*where, name)
        print(bool((await api.get_namespaced_custom_object(*where, name))["metadata"]["deletionTimestamp"]))


asyncio.run(story())
