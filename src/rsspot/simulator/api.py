"""The API: one request in, one response out, as a Kubernetes API server answers it.

Speaks no HTTP and opens no socket.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

from rsspot.simulator import controllers, discovery
from rsspot.simulator.admission import admit, fill_in
from rsspot.simulator.crds import Definition
from rsspot.simulator.identity import Denied, Organization
from rsspot.simulator.messages import Refusal, Request, Response
from rsspot.simulator.objects import born, changed
from rsspot.simulator.patches import patched
from rsspot.simulator.schema import pruned, violations, with_defaults
from rsspot.simulator.selectors import Predicate, fields_match, labels_match
from rsspot.simulator.store import Object
from rsspot.simulator.tables import ACCEPTED, table
from rsspot.simulator.world import World

READ_ONLY = ("regions", "serverclasses")
PAGE_LIFETIME = 300.0
"""Seconds that a page token is good for."""
WATCH_POLL = 0.1
LONGEST_WATCH = 1800.0
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class _DryRun(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class Api:
    """Answers requests about one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handle(self, request: Request) -> Response:
        """The answer to a request. Never raises."""
        with self.world.lock:
            try:
                self.tick()
                with self.world.store.transaction():
                    response = self._answer(request)
                    if _is_rehearsal(request):
                        raise _DryRun(response)
                    return response
            except _DryRun as rehearsal:
                return rehearsal.response
            except Denied as denied:
                return denied.response
            except Refusal as refusal:
                return refusal.response()
            except Exception as defect:
                return Refusal(500, "InternalError", f"Internal error occurred: {defect!r}").response()

    def tick(self) -> None:
        """Let everything happen that is due. Apart from the request, whose refusal must not undo it."""
        with self.world.lock, self.world.store.transaction():
            self.world.advance()

    def _answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        if request.path == "/oauth/token":
            if request.method != "POST":
                raise Refusal(405, "MethodNotAllowed", "the token endpoint takes POST")
            return self.world.identity.token_endpoint(request)
        if parts in (["healthz"], ["readyz"], ["livez"]):
            return Response.of_text(200, "ok")
        if parts == ["version"]:
            return Response.of_json(200, discovery.VERSION)
        caller = self.world.identity.caller(request)
        if parts == ["apis", "auth.ngpc.rxt.io", "v1", "organizations"]:
            return self.world.identity.organizations_endpoint()
        if parts == ["api"]:
            return Response.of_json(200, {"kind": "APIVersions", "apiVersion": "v1", "versions": []})
        if parts == ["apis"]:
            return Response.of_json(200, discovery.group_list(self.world.definitions.values()))
        if len(parts) >= 3 and parts[0] == "apis":
            return self._group(request, caller, parts)
        raise Refusal(404, "NotFound", "the server could not find the requested resource")

    def _group(self, request: Request, caller: Organization, parts: list[str]) -> Response:
        api_version, rest = "/".join(parts[1:3]), parts[3:]
        served = self.world.definitions.values()
        if not rest and any(each.api_version == api_version for each in served):
            return Response.of_json(200, discovery.resource_list(api_version, served))
        namespace = None
        if rest[:1] == ["namespaces"] and len(rest) >= 3:
            namespace, rest = rest[1], rest[2:]
        definition = self.world.definitions.get(rest[0]) if rest else None
        if definition is None or definition.api_version != api_version or len(rest) > 3:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        if len(rest) == 3:
            raise self._forbidden(caller, request.method, f"{rest[0]}/{rest[2]}", definition, namespace)
        if namespace is not None and namespace != caller.namespace:
            raise self._forbidden(caller, request.method, definition.plural, definition, namespace)
        if definition.namespaced and namespace is None:
            # Tenants cannot see all namespaces; a list over them is one over their own.
            if request.method != "GET" or len(rest) > 1:
                raise Refusal(404, "NotFound", "the server could not find the requested resource")
            namespace = caller.namespace
        if definition.plural in READ_ONLY and request.method != "GET":
            raise self._forbidden(caller, request.method, definition.plural, definition, None)
        return self._verb(request, definition, namespace or "", rest[1] if len(rest) == 2 else None)

    def _verb(self, request: Request, definition: Definition, namespace: str, name: str | None) -> Response:
        if name is None and request.method == "GET":
            return (
                self._watch(request, definition, namespace)
                if request.flag("watch")
                else self._list(request, definition, namespace)
            )
        if name is None and request.method == "POST":
            return self._create(request, definition, namespace)
        if name is None and request.method == "DELETE":
            return self._delete_collection(request, definition, namespace)
        if name is None or request.method not in ("GET", "PATCH", "PUT", "DELETE"):
            raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        live = self.world.store.get(definition.plural, namespace, name)
        if live is None:
            raise _not_found(definition, name)
        if request.method == "GET":
            return self._shown(request, definition, live)
        if request.method == "DELETE":
            return self._delete(request, definition, live)
        return self._update(request, definition, live)

    def _list(self, request: Request, definition: Definition, namespace: str) -> Response:
        after, keep = _page_start(request, self.world.clock.time()), _predicate(request)
        limit = int(request.query.get("limit") or 0)
        # A filtered list is paged after filtering, so it is read whole.
        bodies = self.world.store.objects(definition.plural, namespace, after, -1 if keep or not limit else limit)
        if keep:
            bodies = [body for body in bodies if keep(body)]
        shown = bodies[:limit] if limit else bodies
        metadata: dict[str, Any] = {"resourceVersion": str(self.world.store.version())}
        if limit and shown:
            last = (shown[-1]["metadata"].get("namespace", ""), shown[-1]["metadata"]["name"])
            left = len(bodies) - len(shown) if keep else self.world.store.count(definition.plural, namespace, last)
            if left:
                metadata |= {"continue": _page_token(last, self.world.clock.time()), "remainingItemCount": left}
        if ACCEPTED in request.headers.get("accept", ""):
            return Response.of_json(200, table(definition, shown, metadata, self.world.now))
        frame = {"apiVersion": definition.api_version, "kind": f"{definition.kind}List", "metadata": metadata}
        return Response.of_json(200, {**frame, "items": shown})

    def _watch(self, request: Request, definition: Definition, namespace: str) -> Response:
        start = request.query.get("resourceVersion", "")
        since = int(start) if start.isdigit() and start != "0" else 0
        if since and since < self.world.store.oldest_change():
            raise Refusal(410, "Expired", f"too old resource version: {since}")
        bodies = self.world.store.objects(definition.plural, namespace)
        keep = _predicate(request) or (lambda body: True)
        as_table = ACCEPTED in request.headers.get("accept", "")
        first = [] if since else [("ADDED", body) for body in bodies if keep(body)]
        since = since or self.world.store.version()
        deadline = time.monotonic() + _seconds(request.query.get("timeoutSeconds"), LONGEST_WATCH)

        def stream() -> Iterator[bytes]:
            yield from (self._event(kind, definition, body, as_table) for kind, body in first)
            yield from self._events(definition, namespace, since, keep, as_table, deadline)

        return Response(200, stream=stream())

    def _events(
        self,
        definition: Definition,
        namespace: str,
        since: int,
        keep: Predicate,
        as_table: bool,
        deadline: float,
    ) -> Iterator[bytes]:
        """What happens from now on. An object that starts or stops matching is ADDED or DELETED for this watcher."""
        while time.monotonic() < deadline:
            with self.world.lock:
                self.tick()
                happened = self.world.store.changes(definition.plural, namespace, since)
            for kind, body, before in happened:
                since = int(body["metadata"]["resourceVersion"])
                matches, matched = kind != "DELETED" and keep(body), before is not None and keep(before)
                if matches or matched:
                    told = "DELETED" if not matches else "MODIFIED" if matched else "ADDED"
                    yield self._event(told, definition, body, as_table)
            if not happened:
                yield b""
                time.sleep(WATCH_POLL)

    def _event(self, kind: str, definition: Definition, body: Object, as_table: bool) -> bytes:
        shown = table(definition, [body], {}, self.world.now) if as_table else body
        return json.dumps({"type": kind, "object": shown}).encode() + b"\n"

    def _create(self, request: Request, definition: Definition, namespace: str) -> Response:
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
        return self._shown(request, definition, stored, 201)

    def _update(self, request: Request, definition: Definition, live: Object) -> Response:
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
        return self._shown(request, definition, stored)

    def _delete(self, request: Request, definition: Definition, live: Object) -> Response:
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
            return self._shown(request, definition, gone)
        details = {
            "name": gone["metadata"]["name"],
            "group": definition.group,
            "kind": definition.plural,
            "uid": gone["metadata"]["uid"],
        }
        return Response.of_json(
            200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    def _delete_collection(self, request: Request, definition: Definition, namespace: str) -> Response:
        keep = _predicate(request) or (lambda body: True)
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

    def _shown(self, request: Request, definition: Definition, body: Object, status: int = 200) -> Response:
        if ACCEPTED in request.headers.get("accept", "") and request.method == "GET":
            return Response.of_json(status, table(definition, [body], {}, self.world.now))
        return Response.of_json(status, body)

    def _forbidden(
        self, caller: Organization, method: str, what: str, definition: Definition, namespace: str | None
    ) -> Refusal:
        verb = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(
            method, method.lower()
        )
        where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
        who, resource = 'User "sandbox@example.com"', f'resource "{what}" in API group "{definition.group}"'
        message = f"{what}.{definition.group} is forbidden: {who} cannot {verb} {resource}{where}"
        return Refusal(403, "Forbidden", message, kind=definition.plural, group=definition.group)


def _is_rehearsal(request: Request) -> bool:
    """Whether nothing is to be kept: `dryRun=All`, for a delete also in the body."""
    if "All" in request.query.get("dryRun", ""):
        return True
    return request.method == "DELETE" and bool(request.body) and "All" in (_parsed(request).get("dryRun") or ())


def _not_found(definition: Definition, name: str) -> Refusal:
    message = f'{definition.resource} "{name}" not found'
    return Refusal(404, "NotFound", message, name=name, kind=definition.plural, group=definition.group)


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


def _predicate(request: Request) -> Predicate | None:
    labels, fields = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    tests = ([labels_match(labels)] if labels else []) + ([fields_match(fields)] if fields else [])
    return (lambda body: all(test(body) for test in tests)) if tests else None


def _seconds(text: str | None, most: float) -> float:
    if not text:
        return most
    try:
        return min(float(text), most)
    except ValueError:
        raise Refusal(400, "BadRequest", f"timeoutSeconds: not a number: {text!r}") from None


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


def _page_token(last: tuple[str, str], now: float) -> str:
    return base64.urlsafe_b64encode(json.dumps([*last, now]).encode()).decode()


def _page_start(request: Request, now: float) -> tuple[str, str]:
    token = request.query.get("continue", "")
    if not token:
        return ("", "")
    try:
        namespace, name, made = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        raise Refusal(400, "BadRequest", "continue key is not valid") from None
    if now - made > PAGE_LIFETIME:
        said = "The provided continue parameter is too old to display a consistent list result."
        raise Refusal(410, "Expired", said)
    return (namespace, name)
