"""Kubeconfigs for cloudspaces, as the service writes them. The clusters they refer to are not simulated."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import yaml

from rsspot.simulator.accounts.device import refused
from rsspot.simulator.accounts.identity import CLIENT_ID, ISSUER
from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.apiserver.messages import Request, Response

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

FIELDS = ("organization_name", "cloudspace_name", "refresh_token")


def kubeconfig_endpoint(world: SpotWorld, request: Request) -> Response:
    """POST /apis/auth.ngpc.rxt.io/v1/generate-kubeconfig: no bearer token; the body contains the refresh token."""
    form = _parsed(request.body)
    if form is None:
        return refused(400, "bad_request", f"{', '.join(FIELDS)} are required")
    caller = world.identity.refresh.owner(form["refresh_token"])
    if caller is None or caller.organization.name.lower() != form["organization_name"].lower():
        return refused(401, "access_denied", "Unauthorized")
    organization = caller.organization
    name = form["cloudspace_name"]
    cloudspace = world.store.get("cloudspaces", organization.namespace, name)
    if cloudspace is None:
        return refused(400, "bad_request", f"cloudspace {name} not found")
    endpoint = (cloudspace.get("status") or {}).get("APIServerEndpoint", "")
    if not endpoint:
        return refused(400, "bad_request", f"cloudspace {name} is not ready")
    config = _config(organization, name, endpoint, world.identity.id_token(caller))
    text = yaml.safe_dump(config, sort_keys=False)
    answer = {"data": {"kubeconfig": text}, "message": "kubeconfig generated successfully", "status_code": 200}
    return Response.of_json(200, answer)


def _parsed(body: bytes) -> dict[str, str] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    complete = isinstance(document, dict) and all(
        isinstance(document.get(field), str) and document[field] for field in FIELDS
    )
    return document if complete else None


def _config(organization: Tenant, cloudspace: str, endpoint: str, id_token: str) -> dict[str, Any]:
    """A kubeconfig with two contexts: one with a token that expires, and one that logs in interactively."""
    name = f"{organization.name}-{cloudspace}"
    cluster = {"server": f"https://{endpoint}", "certificate-authority-data": _certificate(endpoint)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [_context(name, name, "ngpc-user"), _context(f"{name}-oidc", name, "oidc")],
        "current-context": name,
        "preferences": {},
        "users": [
            {"name": "ngpc-user", "user": {"token": id_token}},
            {"name": "oidc", "user": {"exec": _login(organization)}},
        ],
    }


def _context(name: str, cluster: str, user: str) -> dict[str, Any]:
    return {"name": name, "context": {"cluster": cluster, "namespace": "default", "user": user}}


def _login(organization: Tenant) -> dict[str, Any]:
    arguments = [
        "oidc-login",
        "get-token",
        f"--oidc-issuer-url={ISSUER}",
        f"--oidc-client-id={CLIENT_ID}",
        "--oidc-extra-scope=openid",
        "--oidc-extra-scope=profile",
        "--oidc-extra-scope=email",
        f"--oidc-auth-request-extra-params=organization={organization.id}",
        f"--token-cache-dir=~/.kube/cache/oidc-login/{organization.id}",
    ]
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubectl",
        "args": arguments,
        "env": None,
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": False,
    }


def _certificate(endpoint: str) -> str:
    """Placeholder CA data: a PEM block around arbitrary bytes, not a valid certificate."""
    blob = b"".join(hashlib.sha256(f"{endpoint}/{index}".encode()).digest() for index in range(12))
    text = base64.encodebytes(blob).decode()
    return base64.b64encode(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode()).decode()
