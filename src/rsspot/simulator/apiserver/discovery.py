"""Discovery: the server version, groups, resources and OpenAPI documents, made from the served definitions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from rsspot.simulator.apiserver import openapi, openapi_v3
from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Request, Response

VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
READS = ["get", "list", "watch"]
STATUS_VERBS = ["get", "patch", "update"]
VERSION = {
    "major": "1",
    "minor": "33",
    "gitVersion": "v1.33.0+rsspot",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-08-17T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
AGGREGATED = "apidiscovery.k8s.io"
AGGREGATED_VERSIONS = ("v2", "v2beta1")


def answer(request: Request, definitions: Collection[Definition], read_only: Collection[str]) -> Response | None:
    """Answer a discovery request. Returns None for any other request."""
    if request.method not in ("GET", "HEAD"):
        return None
    parts = [part for part in request.path.split("/") if part]
    if parts in (["api"], ["apis"]):
        served = definitions if parts == ["apis"] else ()
        version = _aggregated_version(request)
        if version:
            return _aggregated(version, served, read_only)
        legacy = {"kind": "APIVersions", "versions": [], "serverAddressByClientCIDRs": []}
        return Response.of_json(200, group_list(served) if parts == ["apis"] else legacy)
    if parts[:1] == ["openapi"]:
        return _openapi(parts[1:], definitions, read_only)
    if parts[:1] == ["apis"] and len(parts) == 2:
        groups = [group for group in group_list(definitions)["groups"] if group["name"] == parts[1]]
        return Response.of_json(200, {"kind": "APIGroup", "apiVersion": "v1", **groups[0]}) if groups else None
    if parts[:1] == ["apis"] and len(parts) == 3:
        version = "/".join(parts[1:])
        is_served = any(definition.api_version == version for definition in definitions)
        return Response.of_json(200, resource_list(version, definitions, read_only)) if is_served else None
    return None


def group_list(definitions: Iterable[Definition]) -> dict[str, Any]:
    """GET /apis"""
    groups = sorted({(definition.group, definition.version) for definition in definitions})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*group) for group in groups]}


def _group(name: str, version: str) -> dict[str, Any]:
    preferred = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def resource_list(
    api_version: str, definitions: Iterable[Definition], read_only: Collection[str] = ()
) -> dict[str, Any]:
    """GET /apis/GROUP/VERSION"""
    resources: list[dict[str, Any]] = []
    for definition in definitions:
        if definition.api_version != api_version:
            continue
        common = {"namespaced": definition.namespaced, "kind": definition.kind}
        extra = {
            **({"shortNames": list(definition.short_names)} if definition.short_names else {}),
            **({"categories": list(definition.categories)} if definition.categories else {}),
            "storageVersionHash": hashlib.sha256(definition.resource.encode()).hexdigest()[:12],
        }
        verbs = READS if definition.plural in read_only else VERBS
        resources.append(
            {"name": definition.plural, "singularName": definition.singular, **common, "verbs": verbs, **extra}
        )
        if definition.has_status:
            resources.append(
                {"name": f"{definition.plural}/status", "singularName": "", **common, "verbs": STATUS_VERBS}
            )
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def _aggregated_version(request: Request) -> str:
    """The version of aggregated discovery that the caller accepts; "" for none."""
    for part in request.headers.get("accept", "").split(","):
        parameters = dict(text.strip().split("=", 1) for text in part.split(";")[1:] if "=" in text)
        if parameters.get("g") == AGGREGATED and parameters.get("v") in AGGREGATED_VERSIONS:
            return parameters["v"]
    return ""


def _aggregated(version: str, definitions: Iterable[Definition], read_only: Collection[str]) -> Response:
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for definition in definitions:
        groups.setdefault(definition.group, {}).setdefault(definition.version, []).append(
            _resource(definition, read_only)
        )
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None},
            "versions": [
                {"version": name, "resources": resources, "freshness": "Current"}
                for name, resources in sorted(versions.items())
            ],
        }
        for group, versions in sorted(groups.items())
    ]
    frame = {"kind": "APIGroupDiscoveryList", "apiVersion": f"{AGGREGATED}/{version}", "metadata": {}}
    content_type = f"application/json;g={AGGREGATED};v={version};as=APIGroupDiscoveryList"
    return replace(Response.of_json(200, {**frame, "items": items}), content_type=content_type)


def _resource(definition: Definition, read_only: Collection[str]) -> dict[str, Any]:
    kind = {"group": definition.group, "version": definition.version, "kind": definition.kind}
    status = {"subresource": "status", "responseKind": kind, "verbs": STATUS_VERBS}
    return {
        "resource": definition.plural,
        "responseKind": kind,
        "scope": "Namespaced" if definition.namespaced else "Cluster",
        "singularResource": definition.singular,
        "verbs": READS if definition.plural in read_only else VERBS,
        **({"shortNames": list(definition.short_names)} if definition.short_names else {}),
        **({"categories": list(definition.categories)} if definition.categories else {}),
        **({"subresources": [status]} if definition.has_status else {}),
    }


def _openapi(parts: list[str], definitions: Collection[Definition], read_only: Collection[str]) -> Response | None:
    if parts == ["v2"]:
        return Response.of_json(200, openapi.swagger(definitions, VERSION["gitVersion"], read_only))
    if parts == ["v3"]:
        versions = sorted({definition.api_version for definition in definitions})
        paths = {f"apis/{version}": _link(version, definitions, read_only) for version in versions}
        return Response.of_json(200, {"paths": paths})
    version = "/".join(parts[2:])
    if parts[:2] == ["v3", "apis"] and any(definition.api_version == version for definition in definitions):
        return Response.of_json(200, _document(version, definitions, read_only))
    return None


def _document(version: str, definitions: Iterable[Definition], read_only: Collection[str]) -> dict[str, Any]:
    served = [definition for definition in definitions if definition.api_version == version]
    return openapi_v3.document(served, VERSION["gitVersion"], read_only)


def _link(version: str, definitions: Iterable[Definition], read_only: Collection[str]) -> dict[str, str]:
    """The URL of a document. It includes a hash, so that clients can cache the document."""
    text = json.dumps(_document(version, definitions, read_only), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest().upper()
    return {"serverRelativeURL": f"/openapi/v3/apis/{version}?hash={digest}"}
