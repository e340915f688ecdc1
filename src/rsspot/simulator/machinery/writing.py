"""Writes: create, update and delete, with all that an API server checks before it believes an object."""

from __future__ import annotations

import json
import re
from typing import Any

from rsspot.simulator.machinery.crds import Definition
from rsspot.simulator.machinery.messages import Refusal, Request, Response
from rsspot.simulator.machinery.objects import born, changed
from rsspot.simulator.machinery.patches import patched
from rsspot.simulator.machinery.reading import predicate, shown
from rsspot.simulator.machinery.schema import pruned, violations, with_defaults
from rsspot.simulator.machinery.store import Object
from rsspot.simulator.spot import controllers
from rsspot.simulator.spot.admission import admit, fill_in
from rsspot.simulator.world import World

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class Writer:
    """Answers writes to one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def create(self, request: Request, definition: Definition, namespace: str) -> Response:
        body = _parsed(request)
        if body.get("kind") != definition.kind or body.get("apiVersion") != definition.api_version:
            said = f"the API version in the data ({body.get('apiVersion')}) and kind ({body.get('kind')}) do not match"
            raise Refusal(400, "BadRequest", f"{said} the expected {definition.api_version} {definition.kind}")
        _check_metadata(definition, body)
        metadata = body["metadata"]
        name = metadata["name"]
        if metadata.get("namespace", namespace) != namespace:
            raise Refusal(
                400,
                "BadRequest",
                "the namespace of the provided object does not match the namespace sent on the request",
            )
        if self.world.store.get(definition.plural, namespace, name) is not None:
            raise Refusal(
                409,
                "AlreadyExists",
                f'{definition.resource} "{name}" already exists',
                name=name,
                kind=definition.plural,
                group=definition.group,
            )
        if definition.namespaced:
            metadata["namespace"] = namespace
        body = self._checked(definition, body, None)
        body.pop("status", None)
        admit(definition, self.world.store, body, None)
        fill_in(definition, self.world.store, body)
        stored = born(self.world.store, definition, body, namespace, self.world.seed, self.world.now)
        controllers.on_created(self.world, definition.plural, stored)
        return shown(self.world, request, definition, stored, 201)

    def update(self, request: Request, definition: Definition, live: Object) -> Response:
        if request.method == "PUT":
            body = _parsed(request)
            if not (body.get("metadata") or {}).get("resourceVersion"):
                raise Refusal(
                    422,
                    "Invalid",
                    f"{definition.kind} is invalid: metadata.resourceVersion: must be specified for an update",
                )
        else:
            body = patched(request.headers.get("content-type", ""), request.body, live)
        _check_preconditions(definition, body, live)
        _check_metadata(definition, body)
        body = self._checked(definition, body, live)
        if definition.has_status:
            body.pop("status", None)
            if "status" in live:
                body["status"] = live["status"]
        admit(definition, self.world.store, body, live)
        stored = changed(self.world.store, definition, body, live)
        if stored is not live:
            controllers.on_written(self.world, definition.plural, stored)
        return shown(self.world, request, definition, stored)

    def delete(self, request: Request, definition: Definition, live: Object) -> Response:
        options = _parsed(request) if request.body else {}
        wanted = options.get("preconditions") or {}
        for key in ("uid", "resourceVersion"):
            if wanted.get(key) not in (None, live["metadata"][key]):
                name = live["metadata"]["name"]
                said = f"the {key.upper() if key == 'uid' else key} in the precondition ({wanted[key]}) does not match"
                raise Refusal(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {definition.resource} "{name}": {said}',
                    name=name,
                )
        gone = self.world.doom(definition.plural, live)
        if gone["metadata"].get("finalizers"):
            return shown(self.world, request, definition, gone)
        details = {
            "name": gone["metadata"]["name"],
            "group": definition.group,
            "kind": definition.plural,
            "uid": gone["metadata"]["uid"],
        }
        return Response.of_json(
            200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    def delete_collection(self, request: Request, definition: Definition, namespace: str) -> Response:
        keep = predicate(request) or (lambda body: True)
        gone = [
            self.world.doom(definition.plural, body)
            for body in self.world.store.objects(definition.plural, namespace)
            if keep(body)
        ]
        frame = {"apiVersion": definition.api_version, "kind": f"{definition.kind}List"}
        return Response.of_json(
            200, {**frame, "metadata": {"resourceVersion": str(self.world.store.version())}, "items": gone}
        )

    def _checked(self, definition: Definition, body: Object, old: Object | None) -> Object:
        """An object with its defaults, without unknown fields, and with nothing wrong with it."""
        metadata, schema = body["metadata"], {**definition.schema, "properties": {**definition.schema["properties"]}}
        body = with_defaults(schema, {**pruned(schema, {k: v for k, v in body.items() if k != "metadata"})})
        wrong = list(violations(schema, body, old=old if old is not None else {}))
        body["metadata"] = metadata
        if wrong:
            said = [f"{cause.field}: {cause.message}" for cause in wrong]
            joined = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
            name = metadata["name"]
            message = f'{definition.kind}.{definition.group} "{name}" is invalid: {joined}'
            raise Refusal(
                422, "Invalid", message, name=name, kind=definition.kind, group=definition.group, causes=tuple(wrong)
            )
        return body


def is_rehearsal(request: Request) -> bool:
    """Whether nothing is to be kept: `dryRun=All`, for a delete also in the body."""
    if "All" in request.query.get("dryRun", ""):
        return True
    return request.method == "DELETE" and bool(request.body) and "All" in (_parsed(request).get("dryRun") or ())


def _parsed(request: Request) -> dict[str, Any]:
    try:
        if "yaml" in request.headers.get("content-type", ""):
            import yaml

            body = yaml.safe_load(request.body)
        else:
            body = json.loads(request.body)
    except Exception as error:
        raise Refusal(400, "BadRequest", f"the object provided is unrecognized: {error}") from None
    if not isinstance(body, dict):
        raise Refusal(400, "BadRequest", "the object provided is unrecognized (must be an object)")
    return body


def _check_preconditions(definition: Definition, body: Object, live: Object) -> None:
    """A body that names a version or uid must name the live one."""
    name, metadata = live["metadata"]["name"], body.get("metadata")
    if not isinstance(metadata, dict):
        raise Refusal(400, "BadRequest", "metadata is not an object")
    version = metadata.get("resourceVersion", live["metadata"]["resourceVersion"])
    if not str(version).isdigit():
        raise Refusal(500, "InternalError", f'strconv.ParseUint: parsing "{version}": invalid syntax')
    said = None
    if version != live["metadata"]["resourceVersion"]:
        said = "the object has been modified; please apply your changes to the latest version and try again"
    elif metadata.get("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
        wanted, found = metadata["uid"], live["metadata"]["uid"]
        said = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    if said:
        message = f'Operation cannot be fulfilled on {definition.resource} "{name}": {said}'
        raise Refusal(409, "Conflict", message, name=name, kind=definition.plural, group=definition.group)
    same = {"apiVersion": live["apiVersion"], "kind": live["kind"]}
    if metadata.get("name") != name or any(body.get(key) != value for key, value in same.items()):
        raise Refusal(400, "BadRequest", "the name, kind or apiVersion of the object does not match the URL")
    if metadata.get("namespace") not in (None, live["metadata"].get("namespace")):
        raise Refusal(400, "BadRequest", "the namespace of the object does not match the namespace on the URL")
    if "namespace" in live["metadata"]:
        metadata["namespace"] = live["metadata"]["namespace"]


def _check_metadata(definition: Definition, body: Object) -> None:
    """Names, labels and annotations of the shapes that Kubernetes takes."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        said = "metadata.name: Required value: name or generateName is required"
        raise Refusal(422, "Invalid", f"{definition.kind} is invalid: {said}")
    if not NAME.fullmatch(metadata["name"]):
        said = f'metadata.name: Invalid value: "{metadata["name"]}": a lowercase RFC 1123 subdomain is required'
        raise Refusal(422, "Invalid", f'{definition.kind} "{metadata["name"]}" is invalid: {said}')
    for field in ("labels", "annotations"):
        if metadata.get(field) is None:
            metadata.pop(field, None)
            continue
        if not isinstance(metadata[field], dict) or not all(isinstance(each, str) for each in metadata[field].values()):
            raise Refusal(400, "BadRequest", f"metadata.{field}: expected a map of strings")
