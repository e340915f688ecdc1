"""Writes: create, replace, patch, apply and delete, with the checks of an API server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rsspot.simulator.apiserver import metadata as metadata_rules
from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.managed_fields import Manager, applied, manager_of
from rsspot.simulator.apiserver.messages import Refusal, Request
from rsspot.simulator.apiserver.objects import Objects
from rsspot.simulator.apiserver.parsing import (
    APPLY,
    Twice,
    delete_options,
    document_of,
    is_rehearsal,
    media_type,
    patch_options,
    propagation,
    write_options,
)
from rsspot.simulator.apiserver.patches import check_patched, check_type, compact, patched, unreadable
from rsspot.simulator.apiserver.queries import INVALID_VERSION, check_list_options, is_version, version_asked
from rsspot.simulator.apiserver.selectors import predicate
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.apiserver.validation import (
    check_delete,
    check_kind,
    check_place,
    check_uid,
    check_version,
    check_versioned,
    check_versions,
    completed,
    conflict,
    judge,
    not_found,
    strictly,
    unknown_in,
)
from rsspot.simulator.clock import rfc3339
from rsspot.simulator.rng import draw

LONGEST_GENERATED = 58


@dataclass(frozen=True)
class WriteResult:
    """The result of a write: the new object, whether it was created, and warnings."""

    body: Object
    is_new: bool = False
    warnings: tuple[str, ...] = ()


class Writer:
    """Executes requests that write objects."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def create(self, request: Request, definition: Definition, namespace: str, name: str | None = None) -> WriteResult:
        """Create an object: POST to a collection."""
        body, warnings = submitted(request, definition, "CreateOptions")
        metadata = body["metadata"]
        with _warned(warnings):
            if metadata.get("namespace", namespace) != namespace:
                problem = "the namespace of the provided object does not match the namespace sent on the request"
                raise Refusal(400, "BadRequest", problem)
            if is_version(metadata.get("resourceVersion", "")):
                raise Refusal(500, "", "resourceVersion should not be set on objects to be created")
            check_kind(definition, body)
            self._name(metadata)
            manager = _manager(request, definition, "Update")
            made = self._made(request, definition, namespace, body, manager)
        return WriteResult(made, True, (*warnings, *metadata_rules.warnings(body)))

    def _name(self, metadata: dict[str, Any]) -> None:
        prefix = metadata.get("generateName")
        if prefix and not metadata.get("name"):
            serial, letters = self.objects.store.serial(), metadata_rules.SUFFIXES
            drawn = (draw(self.objects.seed, "name", serial, index) for index in range(5))
            suffix = "".join(letters[int(number * len(letters))] for number in drawn)
            metadata["name"] = prefix[:LONGEST_GENERATED] + suffix

    def _made(
        self, request: Request, definition: Definition, namespace: str, body: Object, manager: Manager | None
    ) -> Object:
        """Validate and store a new object."""
        metadata = body["metadata"]
        if definition.namespaced:
            metadata["namespace"] = namespace
        body = {key: value for key, value in body.items() if key != "status" or not definition.has_status}
        body = completed(definition, body)
        judge(definition, body, None)
        self._refuse_existing(definition, namespace, metadata["name"])
        self.objects.service.admit(definition, body, None)
        self.objects.service.fill_in(definition, body)
        stored = self.objects.born(definition, body, manager)
        self.objects.service.created(definition, stored)
        if is_rehearsal(request):
            stored = {**stored, "metadata": {k: v for k, v in stored["metadata"].items() if k != "resourceVersion"}}
        return stored

    def _refuse_existing(self, definition: Definition, namespace: str, name: str) -> None:
        existing = self.objects.store.get(definition.plural, namespace, name)
        if existing is not None:
            prefix = "object is being deleted: " if existing["metadata"].get("deletionTimestamp") else ""
            message = f'{prefix}{definition.resource} "{name}" already exists'
            raise Refusal(409, "AlreadyExists", message, name=name, kind=definition.plural, group=definition.group)

    def replace(
        self,
        request: Request,
        definition: Definition,
        namespace: str,
        name: str,
        live: Object | None,
        subresource: str = "",
    ) -> WriteResult:
        """Replace an object: PUT. Whether it exists is checked after the body is decoded."""
        body, warnings = submitted(request, definition, "UpdateOptions")
        metadata = body["metadata"]
        with _warned(warnings):
            check_place(metadata, namespace, name)
            if live is None:
                raise not_found(definition, name)
            check_versioned(definition, metadata, live)
            check_uid(definition, metadata, live)
            manager = _manager(request, definition, "Update", subresource)
            return self._updated(request, definition, live, body, manager, warnings)

    def patch(self, request: Request, definition: Definition, live: Object, subresource: str = "") -> WriteResult:
        """Patch an object: PATCH with a merge patch or JSON patch."""
        sent = media_type(request)
        check_type(sent)
        strictness = patch_options(request)
        body = patched(sent, request.body, live)
        check_patched(body)
        # A patch that sets only unknown fields is still valid.
        unknown = [f'unknown field "{path}"' for path in unknown_in(definition, body)] if strictness != "Ignore" else []
        if unknown and strictness == "Strict":
            raise unreadable(compact(body), f"strict decoding error: {', '.join(unknown)}")
        with _warned(tuple(unknown)):
            check_place(body["metadata"], live["metadata"].get("namespace", ""), live["metadata"]["name"])
            check_versioned(definition, body["metadata"], live)
            manager = _manager(request, definition, "Update", subresource)
            return self._updated(request, definition, live, body, manager, tuple(unknown))

    def apply(
        self,
        request: Request,
        definition: Definition,
        namespace: str,
        name: str,
        live: Object | None,
        subresource: str = "",
    ) -> WriteResult:
        """Server-side apply: PATCH with an applied configuration. Creates the object if it does not exist."""
        patch_options(request)
        config = self._configuration(request, definition, namespace, name)
        metadata = config["metadata"]
        if live is None and metadata.get("uid"):
            problem = (
                f"uid mismatch: the provided object specified uid {metadata['uid']}, and no existing object was found"
            )
            raise conflict(definition, name, problem)
        if live is not None:
            check_versions(definition, metadata, live)
        manager = _manager(request, definition, "Apply", subresource)
        kept = {"metadata": {k: v for k, v in metadata.items() if k not in metadata_rules.SERVERS}}
        force = request.flag("force")
        time = rfc3339(self.objects.now)
        body, differs = applied(definition.schema, live, {**config, **kept}, manager, time, force=force)
        if metadata["name"] != name:
            problem = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            raise Refusal(400, "BadRequest", problem)
        if live is None:
            return WriteResult(self._made(request, definition, namespace, body, None), True)
        if not differs:
            return WriteResult(live)
        return self._updated(request, definition, live, body, None, (), status_too=subresource == "status")

    def _configuration(self, request: Request, definition: Definition, namespace: str, name: str) -> Object:
        try:
            config = request.yaml.checked()
        except ValueError as error:
            raise Refusal(400, "BadRequest", f"error decoding YAML: {error}") from None
        if not isinstance(config, dict):
            raise Refusal(400, "BadRequest", "error decoding YAML: the configuration is not an object")
        version, kind = config.get("apiVersion") or "/", config.get("kind") or ""
        if (version, kind) != (definition.api_version, definition.kind):
            raise Refusal(400, "BadRequest", f"invalid object type: {version}, Kind={kind}")
        metadata = config.get("metadata")
        if isinstance(metadata, dict) and metadata.get("managedFields"):
            raise Refusal(400, "BadRequest", "metadata.managedFields must be nil")
        metadata_rules.check_shape(definition.kind, definition.version, config)
        unknown = next(iter(unknown_in(definition, config)), None)
        if unknown:
            where = config["metadata"].get("namespace", "")
            about = f"failed to create typed patch object ({where}/{name}; {version}, Kind={kind})"
            raise Refusal(500, "", f"{about}: .{unknown}: field not declared in schema")
        metadata = config["metadata"]
        metadata.setdefault("name", name)
        if definition.namespaced and metadata.setdefault("namespace", namespace) != namespace:
            problem = "the namespace of the provided object does not match the namespace sent on the request"
            raise Refusal(400, "BadRequest", problem)
        return config

    def _updated(
        self,
        request: Request,
        definition: Definition,
        live: Object,
        body: Object,
        manager: Manager | None,
        warnings: tuple[str, ...],
        *,
        status_too: bool = False,
    ) -> WriteResult:
        """Validate and store an update. It changes either the status or everything else, never both."""
        check_versions(definition, body["metadata"], live)
        check_kind(definition, body)
        through_status = status_too or (manager is not None and manager.subresource == "status")
        if through_status:
            managed = body["metadata"].get("managedFields")
            metadata = {**live["metadata"], **({"managedFields": managed} if managed else {})}
            body = {**live, "metadata": metadata, **({"status": body["status"]} if "status" in body else {})}
        elif definition.has_status:
            body = {key: value for key, value in body.items() if key != "status"}
            body |= {"status": live["status"]} if "status" in live else {}
        body = completed(definition, body)
        judge(definition, body, live)
        self.objects.service.admit(definition, body, live)
        stored = self.objects.changed(definition, body, live, manager)
        if stored is not live and not through_status:
            self.objects.service.written(definition, stored)
        if is_rehearsal(request):
            version = live["metadata"]["resourceVersion"]
            stored = {**stored, "metadata": {**stored["metadata"], "resourceVersion": version}}
        return WriteResult(stored, warnings=(*warnings, *metadata_rules.warnings(body, live)))

    def delete(self, request: Request, definition: Definition, live: Object) -> Object | None:
        """Delete an object: DELETE. Returns it if finalizers hold it, None if it is gone."""
        options = delete_options(request)
        check_delete(definition, options.get("preconditions") or {}, live)
        version = live["metadata"]["resourceVersion"]
        remaining = self.objects.doom(definition, live, propagation(options))
        if is_rehearsal(request):
            remaining["metadata"]["resourceVersion"] = version
        return remaining if remaining["metadata"].get("deletionTimestamp") else None

    def delete_collection(self, request: Request, definition: Definition, namespace: str) -> list[Object]:
        """Delete a collection: DELETE. Returns its objects as they were before."""
        check_list_options(request)
        options, keep = delete_options(request), predicate(request, definition)
        version_asked(request, 400, INVALID_VERSION)
        store = self.objects.store
        found = ((text, store.parse(text)) for _, text in store.texts(definition.plural, namespace))
        chosen = [(text, body) for text, body in found if keep is None or keep(body)]
        for text, _ in chosen:
            self.objects.doom(definition, store.parse(text), propagation(options))
        return [body for _, body in chosen]


def submitted(request: Request, definition: Definition, options: str) -> tuple[Object, tuple[str, ...]]:
    """The object in a body, and warnings about it. options: the name of the options of this write"""
    strictness, twice = write_options(request, options), Twice()
    body = document_of(request, definition.kind, twice if strictness != "Ignore" else None)
    check_version(definition, body)
    metadata_rules.check_shape(definition.kind, definition.version, body)
    # The fields of another kind are unknown to nobody.
    return body, strictly(definition, body, strictness, twice) if body["kind"] == definition.kind else ()


@contextmanager
def _warned(warnings: tuple[str, ...]) -> Iterator[None]:
    """Add warnings to a refusal: a write that is refused has the warnings of one that succeeds."""
    try:
        yield
    except Refusal as refusal:
        refusal.warnings = (*warnings, *refusal.warnings)
        raise


def _manager(request: Request, definition: Definition, operation: str, subresource: str = "") -> Manager:
    name = manager_of(request.query.get("fieldManager", ""), request.headers.get("user-agent", ""))
    return Manager(name, operation, definition.api_version, subresource)


def is_apply(request: Request) -> bool:
    """Whether a PATCH is a server-side apply."""
    return media_type(request) == APPLY
