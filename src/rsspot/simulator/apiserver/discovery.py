"""Discovery: the server version, groups, resources and OpenAPI documents, made from the served definitions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rsspot.simulator.apiserver import openapi, openapi_protobuf, openapi_v3
from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Request, Response

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


def answer(request: Request, definitions: Sequence[Definition]) -> Response | None:
    """Answer a discovery request. Returns None for any other request."""
    if request.method not in ("GET", "HEAD"):
        return None
    root, *rest = [part for part in request.path.split("/") if part] or [""]
    if root == "openapi":
        return _openapi(request, rest, definitions)
    if root not in ("api", "apis"):
        return None
    served = [definition for definition in definitions if definition.root.startswith(f"/{root}/")]
    if not rest:
        version = _aggregated_version(request)
        return _aggregated(version, served) if version else Response.of_json(200, _INDEXES[root](served))
    if root == "apis" and len(rest) == 1:
        groups = [group for group in group_list(served)["groups"] if group["name"] == rest[0]]
        return Response.of_json(200, {"kind": "APIGroup", "apiVersion": "v1", **groups[0]}) if groups else None
    version = "/".join(rest)
    chosen = [definition for definition in served if definition.api_version == version]
    return Response.of_json(200, resource_list(version, chosen)) if chosen else None


def version_list(definitions: Iterable[Definition]) -> dict[str, Any]:
    """GET /api: the versions of the core group"""
    versions = sorted({definition.version for definition in definitions})
    return {"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": []}


def group_list(definitions: Iterable[Definition]) -> dict[str, Any]:
    """GET /apis"""
    groups = sorted({(definition.group, definition.version) for definition in definitions})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*group) for group in groups]}


_INDEXES = {"api": version_list, "apis": group_list}


def _group(name: str, version: str) -> dict[str, Any]:
    preferred = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def resource_list(api_version: str, definitions: Iterable[Definition]) -> dict[str, Any]:
    """GET /api/VERSION and /apis/GROUP/VERSION, from the definitions of that group and version"""
    resources: list[dict[str, Any]] = []
    for definition in definitions:
        common = {"namespaced": definition.namespaced, "kind": definition.kind}
        digest = hashlib.sha256(definition.resource.encode()).hexdigest()[:12]
        resources.append(
            {
                "name": definition.plural,
                "singularName": definition.singular,
                **common,
                "verbs": definition.verbs,
                **_names(definition),
                **({"storageVersionHash": digest} if definition.stored else {}),
            }
        )
        if definition.has_status:
            resources.append(
                {"name": f"{definition.plural}/status", "singularName": "", **common, "verbs": STATUS_VERBS}
            )
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def _names(definition: Definition) -> dict[str, Any]:
    """The further names that a kind has."""
    names = {"shortNames": definition.short_names, "categories": definition.categories}
    return {key: value for key, value in names.items() if value}


def _aggregated_version(request: Request) -> str:
    """The version of aggregated discovery that the caller accepts; "" for none."""
    for part in request.headers.get("accept", "").split(","):
        parameters = dict(text.strip().split("=", 1) for text in part.split(";")[1:] if "=" in text)
        if parameters.get("g") == AGGREGATED and parameters.get("v") in AGGREGATED_VERSIONS:
            return parameters["v"]
    return ""


def _aggregated(version: str, definitions: Iterable[Definition]) -> Response:
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for definition in definitions:
        groups.setdefault(definition.group, {}).setdefault(definition.version, []).append(_resource(definition))
    items = [
        {
            # The core group has no name.
            "metadata": {**({"name": group} if group else {}), "creationTimestamp": None},
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


def _resource(definition: Definition) -> dict[str, Any]:
    kind = {"group": definition.group, "version": definition.version, "kind": definition.kind}
    status = {"subresource": "status", "responseKind": kind, "verbs": STATUS_VERBS}
    return {
        "resource": definition.plural,
        "responseKind": kind,
        "scope": "Namespaced" if definition.namespaced else "Cluster",
        "singularResource": definition.singular,
        "verbs": definition.verbs,
        **_names(definition),
        **({"subresources": [status]} if definition.has_status else {}),
    }


def _openapi(request: Request, parts: list[str], definitions: Sequence[Definition]) -> Response | None:
    if parts == ["v2"]:
        return _whole(request, definitions)
    roots: dict[str, list[Definition]] = {}
    for definition in definitions:
        roots.setdefault(definition.root.lstrip("/"), []).append(definition)
    if parts == ["v3"]:
        return Response.of_json(200, {"paths": {root: _link(root, roots[root]) for root in sorted(roots)}})
    served = roots.get("/".join(parts[1:])) if parts[:1] == ["v3"] else None
    return Response.of_json(200, openapi_v3.document(served, VERSION["gitVersion"])) if served else None


def _whole(request: Request, definitions: Iterable[Definition]) -> Response:
    """The OpenAPI v2 document, as JSON or as a protocol buffer."""
    document = openapi.swagger(definitions, VERSION["gitVersion"])
    accepted = [part.split(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
    if accepted[0] in openapi_protobuf.ACCEPTED:
        return Response(200, openapi_protobuf.encoded(document), openapi_protobuf.MEDIA_TYPE)
    return Response.of_json(200, document)


def _link(root: str, definitions: Sequence[Definition]) -> dict[str, str]:
    """The URL of a document. It includes a hash, so that clients can cache the document."""
    text = json.dumps(openapi_v3.document(definitions, VERSION["gitVersion"]), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest().upper()
    return {"serverRelativeURL": f"/openapi/v3/{root}?hash={digest}"}
