"""What clients ask first: versions, groups and resources, from the definitions served."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rsspot.simulator.machinery.crds import Definition

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
VERSION = {
    "major": "1",
    "minor": "31",
    "gitVersion": "v1.31.0+rsspot",
    "platform": "linux/amd64",
}


def group_list(definitions: Iterable[Definition]) -> dict[str, Any]:
    """GET /apis"""
    groups = sorted({(each.group, each.version) for each in definitions})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*each) for each in groups]}


def _group(name: str, version: str) -> dict[str, Any]:
    preferred = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def resource_list(api_version: str, definitions: Iterable[Definition]) -> dict[str, Any]:
    """GET /apis/GROUP/VERSION"""
    served = [each for each in definitions if each.api_version == api_version]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version,
        "resources": [
            {
                "name": each.plural,
                "singularName": each.singular,
                "namespaced": each.namespaced,
                "kind": each.kind,
                "verbs": VERBS,
                "shortNames": list(each.short_names),
            }
            for each in served
        ],
    }
