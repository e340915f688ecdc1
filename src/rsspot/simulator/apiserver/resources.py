"""Routes requests for objects: parses the path, asks the guard, and calls the reader, writer or watcher."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from urllib.parse import unquote

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Refusal, Request, Response
from rsspot.simulator.apiserver.negotiation import wanted
from rsspot.simulator.apiserver.objects import Objects
from rsspot.simulator.apiserver.parsing import delete_options, media_type, patch_options
from rsspot.simulator.apiserver.patches import check_type
from rsspot.simulator.apiserver.queries import version_asked
from rsspot.simulator.apiserver.reading import Reader
from rsspot.simulator.apiserver.store import Object, TooOld
from rsspot.simulator.apiserver.topics import Topics
from rsspot.simulator.apiserver.validation import not_found
from rsspot.simulator.apiserver.watching import Watcher
from rsspot.simulator.apiserver.writing import Writer, WriteResult, is_apply

LARGEST_BODY = 3 * 1024 * 1024
WRITES = ("POST", "PUT", "PATCH", "DELETE")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True)
class Target:
    """The target of a request.

    namespace: "" for a cluster-scoped kind, None for all namespaces
    only: the name of the one object that a list or watch covers; "" for all
    """

    verb: str
    definition: Definition
    namespace: str | None
    name: str | None
    subresource: str = ""
    only: str = ""


Guard = Callable[[Target], Target]
"""Raises Refusal if the caller is not allowed to do this. Can narrow the target to what the caller may see."""


class ResourceEndpoints:
    """Answers every request about the objects of the served kinds. `look`, `topics` and `elapsed`: see Watcher."""

    def __init__(
        self,
        objects: Objects,
        look: Callable[[], AbstractContextManager[object]],
        topics: Topics,
        elapsed: Callable[[], float],
    ) -> None:
        self.objects = objects
        self._reader, self._writer = Reader(objects), Writer(objects)
        self._watcher = Watcher(objects, look, topics, elapsed)

    def answer(self, request: Request, guard: Guard, behind: int = 0) -> Response:
        """Answer a request for a path of a served kind. Raises Refusal.

        behind: by how many writes a get or list is stale, as with a cache that lags behind
        """
        target = guard(self._target(request))
        if target.only:
            request = _selecting(request, target.only)
        if behind and target.verb in ("get", "list"):
            return self._stale(request, target, max(self.objects.store.version() - behind, 0))
        return self._verb(request, target)

    def _stale(self, request: Request, target: Target, version: int) -> Response:
        definition = target.definition
        if target.name is None:
            return self._reader.listed(request, definition, target.namespace, version)
        try:
            body = self.objects.store.get_at(version, definition.plural, target.namespace or "", target.name)
        except TooOld:
            body = None
        if body is None:
            raise not_found(definition, target.name)
        return self._reader.get(_unversioned(request), definition, body)

    def _target(self, request: Request) -> Target:
        path = unquote(request.path).strip("/").split("/")
        # The core group has a root of its own: /api/VERSION instead of /apis/GROUP/VERSION.
        size = {"api": 2, "apis": 3}.get(path[0], len(path))
        root, parts = f"/{'/'.join(path[:size])}", path[size:]
        watched, parts = parts[:1] == ["watch"], parts[1:] if parts[:1] == ["watch"] else parts
        namespace: str | None = None
        if parts[:1] == ["namespaces"] and len(parts) >= 3:
            namespace, parts = parts[1] or None, parts[2:]
        definition = self.objects.definitions.get(parts[0]) if parts else None
        if definition is None or definition.root != root:
            raise Nowhere()
        if not definition.namespaced:
            if namespace is not None:
                raise Nowhere()
            namespace = ""
        name, subresource = parts[1] if len(parts) > 1 else None, parts[2] if len(parts) > 2 else ""
        if watched:
            return _watched(request, definition, namespace, name, subresource)
        if subresource and not (subresource == "status" and definition.has_status):
            raise not_found(definition, name or "")
        if namespace is None and (name is not None or request.method not in ("GET", "HEAD")):
            raise Nowhere()
        return Target(_verb(request, name), definition, namespace, name, subresource)

    def _verb(self, request: Request, target: Target) -> Response:
        if len(request.body) > LARGEST_BODY and request.method in WRITES:
            problem = f"Request entity too large: limit is {LARGEST_BODY}"
            raise Refusal(413, "RequestEntityTooLarge", problem)
        if target.name is None:
            return self._of_collection(request, target)
        wanted(request)
        if target.verb == "create":
            return self._named_create(request, target)
        definition = target.definition
        live = self.objects.store.get(definition.plural, target.namespace or "", target.name)
        arguments = (definition, target.namespace or "", target.name, live, target.subresource)
        if target.verb == "patch" and is_apply(request) and not (live is None and target.subresource):
            return self._after_write(request, definition, self._writer.apply(request, *arguments))
        if target.verb == "update":
            return self._after_write(request, definition, self._writer.replace(request, *arguments))
        _check_options(request, target.verb)
        if live is None:
            raise not_found(definition, target.name)
        if target.verb == "get":
            return self._reader.get(request, definition, live)
        if target.verb == "delete":
            return self._after_delete(request, definition, live)
        write = self._writer.patch(request, definition, live, target.subresource)
        return self._after_write(request, definition, write)

    def _of_collection(self, request: Request, target: Target) -> Response:
        definition, namespace = target.definition, target.namespace
        if target.verb == "list":
            return self._reader.listed(request, definition, namespace)
        if target.verb == "watch":
            return self._watcher.watch(request, definition, namespace)
        if target.verb == "create":
            write = self._writer.create(request, definition, namespace or "")
            return self._after_write(request, definition, write)
        if target.verb == "deletecollection":
            metadata = {"continue": "", "resourceVersion": str(self.objects.store.version())}
            deleted = self._writer.delete_collection(request, definition, namespace or "")
            frame = {"apiVersion": definition.api_version, "kind": definition.list_kind, "metadata": metadata}
            return Response.of_json(200, {**frame, "items": deleted})
        raise Refusal(400, "BadRequest", "name must be provided")

    def _named_create(self, request: Request, target: Target) -> Response:
        """Refuse a POST to the path of an object, after the same checks as for a POST to the collection."""
        self._writer.create(request, target.definition, target.namespace or "")
        raise not_allowed()

    def _after_write(self, request: Request, definition: Definition, write: WriteResult) -> Response:
        shown = self._reader.get(_unversioned(request), definition, write.body, 201 if write.is_new else 200)
        return replace(shown, warnings=write.warnings)

    def _after_delete(self, request: Request, definition: Definition, live: Object) -> Response:
        wanted(request)
        remaining = self._writer.delete(request, definition, live)
        if remaining is not None:
            return self._reader.get(_unversioned(request), definition, remaining)
        about = {"name": live["metadata"]["name"], "group": definition.group, "kind": definition.plural}
        details = {**about, "uid": live["metadata"]["uid"]}
        frame = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return Response.of_json(200, {**frame, "details": details})


def _check_options(request: Request, verb: str) -> None:
    """Check what is checked before it is known whether the object exists."""
    if verb == "get":
        version_asked(request, 500, "")
    elif verb == "delete":
        delete_options(request)
    elif verb == "patch":
        check_type(media_type(request))
        patch_options(request)


def _watched(
    request: Request, definition: Definition, namespace: str | None, name: str | None, subresource: str
) -> Target:
    """The target of a path that begins with `watch`: a watch, whatever the method is."""
    if subresource:
        problem = f'watch is not supported on resources of kind "{definition.resource}"'
        raise Refusal(405, "MethodNotAllowed", problem, kind=definition.plural, group=definition.group)
    asked = request.query.get("fieldSelector", "")
    if name and "metadata.name=" in asked and f"metadata.name={name}" not in asked.replace("==", "=").split(","):
        raise Refusal(400, "BadRequest", "fieldSelector metadata.name doesn't match requested name")
    return Target("watch", definition, namespace, None, only=name or "")


def _unversioned(request: Request) -> Request:
    """The request without resourceVersion, which is only meant for reads."""
    return replace(request, query={k: v for k, v in request.query.items() if k != "resourceVersion"})


def _selecting(request: Request, name: str) -> Request:
    """The request with a field selector for one name, beside its own."""
    selectors = filter(None, (request.query.get("fieldSelector", ""), f"metadata.name={name}"))
    return replace(request, query={**request.query, "fieldSelector": ",".join(selectors)})


def _verb(request: Request, name: str | None) -> str:
    method = "GET" if request.method == "HEAD" else request.method
    if method == "GET":
        watched = request.flag("watch")
        return "get" if name is not None else "watch" if watched else "list"
    if method == "DELETE":
        return "delete" if name is not None else "deletecollection"
    if method not in _VERBS:
        raise not_allowed()
    return _VERBS[method]


class Nowhere(Exception):
    """A path that is not served."""

    response = Response(404, b"404 page not found\n", "text/plain; charset=utf-8")


def not_allowed() -> Refusal:
    """The refusal of a method that the path does not support."""
    return Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
