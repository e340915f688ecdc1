"""Schemathesis hooks that add what a Kubernetes OpenAPI document leaves out, for the runs of test_contract.py.

Loaded in the tools' own environment, which can import neither rsspot nor the other tests.
"""

import os
import re
import zlib

import requests
import schemathesis

GROUP = "ngpc.rxt.io/v1"
META = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1."
REFUSALS = (400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 500, 504)
"""Errors of the Kubernetes API conventions, each with a Status. The documents list only successes and 401."""
REAL = (
    (500, r"resourceVersion should not be set on objects to be created"),
    (500, r'.*strconv\.ParseUint: parsing ".*": invalid syntax'),
    (500, r"failed to create typed patch object .*: field not declared in schema"),
    (500, r"couldn't get version/kind; json parse error: .*"),
    (500, r"json: cannot unmarshal .* into Go struct field (DeleteOptions|Preconditions)\..*"),
    (500, r'no kind ".*" is registered for version ".*" in scheme .*'),
    (500, r"unexpected GroupVersion string: .*"),
    (500, r"Internal error occurred: Object 'apiVersion' is missing in .*"),
    (504, r"Timeout: Too large resource version: \d+, current: \d+"),
)
"""Server errors that a real API server also returns for these invalid requests; they do not count as failures."""
WORDS = {
    "continue": [""],
    "dryRun": ["All"],
    "fieldManager": ["contract", "somebody"],
    "fieldSelector": ["metadata.name=prod", "metadata.name!=prod"],
    "fieldValidation": ["Ignore", "Strict", "Warn"],
    "labelSelector": ["tier", "tier=web", "tier in (web, db),!old"],
    "pretty": ["", "true"],
    "propagationPolicy": ["Background", "Foreground", "Orphan"],
    "resourceVersion": ["0"],
    "resourceVersionMatch": ["NotOlderThan"],
}
"""Parameter values that the document describes only as text, or not at all."""

IN_FULL = "CloudSpace"
"""The kind tested with all fields of metadata and status and in every media type; others vary only in their spec."""
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
BRIEF = {"type": "object", "properties": {"name": {"type": "string"}, "labels": _STRINGS, "annotations": _STRINGS}}
_POINTER = {
    "type": "string",
    "enum": ["", "/metadata/labels", "/metadata/labels/tier", "/metadata/finalizers/-", "/spec", "/spec/desired"],
}
STEP = {
    "type": "object",
    "required": ["op", "path"],
    "properties": {
        "op": {"type": "string", "enum": ["add", "copy", "move", "remove", "replace", "test"]},
        "path": _POINTER,
        "from": _POINTER,
        "value": {},
    },
}
"""An operation of a JSON patch."""

UUID = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtm6uenhaRwH6vl3V69ETCuChlrQHC2GJeyuZNpg3kI ada@example.com"
HERE, CLASS = {"region": "us-central-ord-1"}, {"serverClass": "ch.vs1.large-ord"}
WORLD = {
    "vmsshkeys": ("VMSSHKey", "key", {"publicKey": KEY}),
    "cloudspaces": ("CloudSpace", "prod", {**HERE, "kubernetesVersion": "1.31.1"}),
    "vmcloudspaces": ("VMCloudSpace", "vms", {**HERE, "vmSshKeyRef": {"name": "key"}}),
    "spotnodepools": ("SpotNodePool", UUID, {**CLASS, "cloudSpace": "prod", "desired": 1, "bidPrice": "0.02"}),
    "ondemandnodepools": ("OnDemandNodePool", UUID, {**CLASS, "cloudSpace": "prod", "desired": 1}),
    "vmpools": ("VMPool", UUID, {**CLASS, "vmCloudSpace": "vms", "desired": 1, "bidPrice": "0.02"}),
    "autopilotnodepools": (
        "AutopilotNodePool",
        UUID,
        {**HERE, "cloudSpace": "prod", "vcpu": {"total": 8}, "budgetPerHour": "0.5"},
    ),
}
"""An object of each kind, which exists whenever a test case refers to one."""
READ_ONLY = {"regions": "us-central-ord-1", "serverclasses": CLASS["serverClass"]}

versions = {}
"""Plural -> the version of its object; missing if it has to be read again."""


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Add error responses, parameter values and patch bodies, which Kubernetes defines only in its conventions."""
    status = {"content": {"application/json": {"schema": {"$ref": f"{META}Status"}}}}
    refusals = {str(code): {"description": "a refusal", **status} for code in REFUSALS}
    for path, item in raw_schema["paths"].items():
        operations = [each for each in item.values() if isinstance(each, dict)]
        for holder in (item, *operations):
            for parameter in holder.get("parameters", ()):
                if parameter["name"] in WORDS:
                    parameter["schema"]["enum"] = WORDS[parameter["name"]]
        _describe_bodies(path, item, raw_schema["components"]["schemas"])
        for operation in operations:
            operation["responses"] = {**refusals, **operation["responses"]}


def _describe_bodies(path, item, schemas):
    kind = item["get"]["x-kubernetes-group-version-kind"]["kind"]
    own = schemas[f"io.rxt.ngpc.v1.{kind}"]
    if kind != IN_FULL:
        # Metadata is handled the same way for every kind, and only the service writes a status.
        spec = {key: value for key, value in own["properties"].items() if key != "status"}
        own = {**own, "properties": {**spec, "metadata": BRIEF}}
    for method in ("post", "put"):
        if method in item:
            content = item[method]["requestBody"]["content"]
            notations = content if kind == IN_FULL else ("application/json",)
            item[method]["requestBody"]["content"] = {each: {"schema": own} for each in notations}
    if "patch" in item:
        for notation, content in item["patch"]["requestBody"]["content"].items():
            content["schema"] = {"type": "array", "items": STEP} if "json-patch" in notation else own
        item["patch"]["responses"]["201"] = item["patch"]["responses"]["200"]
    if "delete" in item:
        # A delete returns the object while a finalizer holds it, and always returns a deleted collection.
        gone = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for content in item["delete"]["responses"]["200"]["content"].values():
            content["schema"] = {"anyOf": [content["schema"], gone]}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Make a test case refer to an existing object, and prevent streaming responses."""
    case.query.pop("watch", None)
    *_, plural = case.operation.path.removesuffix("/{name}").split("/")
    parameters = case.path_parameters
    if isinstance(parameters.get("namespace"), str):
        parameters["namespace"] = os.environ["CONTRACT_NAMESPACE"]
    if isinstance(parameters.get("name"), str):
        parameters["name"] = READ_ONLY.get(plural) or WORLD[plural][1]
    if plural in WORLD and "name" in parameters and plural not in versions:
        _restore()
    # One request in four is sent as generated; most of those are refused early.
    if plural in WORLD and isinstance(case.body, dict) and zlib.crc32(repr(case.body).encode()) % 4:
        _settle(case, plural)


def _settle(case, plural):
    """Put the names of existing objects into a body, which no schema describes. Wrong types are kept."""
    body, method, (kind, name, spec) = case.body, case.method.upper(), WORLD[plural]
    if method not in ("POST", "PUT", "PATCH"):
        return
    if case.media_type == "application/apply-patch+yaml":
        case.query.setdefault("fieldManager", "contract")
    else:
        case.query.pop("force", None)
    _fill(body, {"apiVersion": GROUP, "kind": kind, "metadata": {}})
    metadata = body["metadata"]
    if isinstance(metadata, dict):
        unique = f"{zlib.crc32(repr(body).encode()):08x}{UUID[8:]}"
        _fill(metadata, {"name": unique if method == "POST" else name})
        for key in ("namespace", "uid", "resourceVersion", "deletionTimestamp"):
            if isinstance(metadata.get(key), str):
                del metadata[key]
        if method == "PUT" and "resourceVersion" not in metadata:
            metadata["resourceVersion"] = versions.get(plural, "1")
    if isinstance(body.get("spec"), dict):
        known = {key: value for key, value in spec.items() if isinstance(value, str) and key in body["spec"]}
        _fill(body["spec"], known)


def _fill(target, values):
    """Set values that are missing, and replace strings by strings."""
    for key, value in values.items():
        if key not in target or (isinstance(target[key], str) and isinstance(value, str)):
            target[key] = value


def _restore():
    """Create missing objects of each kind, and record their versions."""
    for plural, (kind, name, spec) in WORLD.items():
        collection = f"/apis/{GROUP}/namespaces/{os.environ['CONTRACT_NAMESPACE']}/{plural}"
        _ask("POST", collection, {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "spec": spec})
        response = _ask("GET", f"{collection}/{name}")
        if response.ok:
            versions[plural] = response.json()["metadata"]["resourceVersion"]


session = requests.Session()


def _ask(method, path, body=None):
    headers = {"Authorization": os.environ["CONTRACT_BEARER"]}
    return session.request(method, os.environ["CONTRACT_URL"] + path, json=body, headers=headers, timeout=10)


@schemathesis.hook
def after_call(context, case, response):
    """Discard recorded versions that a request has changed."""
    *_, plural = case.operation.path.removesuffix("/{name}").split("/")
    if response.status_code in (404, 409) or (case.method.upper() == "DELETE" and response.status_code == 200):
        versions.clear()
    elif response.status_code == 200 and case.method.upper() in ("PUT", "PATCH"):
        versions.pop(plural, None)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure counts; errors that a real server also returns do not."""
    message = _parsed(response).get("message", "")
    return not any(response.status_code == code and re.fullmatch(text, str(message), re.DOTALL) for code, text in REAL)


def _parsed(response):
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
