"""Validation of writes: kind, name, namespace and version of the body, unknown fields, and the resulting object.

It refuses invalid objects and adds defaults to valid ones. It stores nothing.
"""

from __future__ import annotations

from typing import Any

from rsspot.simulator.apiserver import metadata as metadata_rules
from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Cause, Refusal, invalid
from rsspot.simulator.apiserver.object_meta import OBJECT_META
from rsspot.simulator.apiserver.parsing import Twice
from rsspot.simulator.apiserver.queries import unsigned_problem
from rsspot.simulator.apiserver.schema import NOTHING, pruned, unknown_fields, violations, with_defaults
from rsspot.simulator.apiserver.store import Object

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def strictly(definition: Definition, body: Object, strictness: str, twice: Twice) -> tuple[str, ...]:
    """Refuse unknown and duplicate fields, or return warnings about them, depending on `strictness`."""
    if strictness == "Ignore":
        return ()
    problems = [f'duplicate field "{path}"' for path in twice]
    problems += [f'unknown field "{path}"' for path in unknown_in(definition, body)]
    if problems and strictness == "Strict":
        subject = f'{definition.kind} in version "{definition.version}" cannot be handled as a {definition.kind}'
        raise Refusal(400, "BadRequest", f"{subject}: strict decoding error: {', '.join(problems)}")
    return tuple(problems)


def check_version(definition: Definition, body: Object) -> None:
    """Refuse a body whose apiVersion differs from that of the path."""
    if body.get("apiVersion") != definition.api_version:
        problem = (
            f"the API version in the data ({body.get('apiVersion') or ''}) does not match the expected API version"
        )
        raise Refusal(400, "BadRequest", f"{problem} ({definition.api_version})")


def check_kind(definition: Definition, body: Object) -> None:
    """Refuse a body whose kind or apiVersion differs from that of the path."""
    for field, wanted in (("apiVersion", definition.api_version), ("kind", definition.kind)):
        actual = body.get(field)
        if actual != wanted:
            cause = Cause.invalid(field, f'"{actual}": must be {wanted}')
            group = str(body.get("apiVersion")).rpartition("/")[0]
            raise invalid(group, str(body.get("kind")), body["metadata"].get("name", ""), [cause])


def completed(definition: Definition, body: Object) -> Object:
    """The object with defaults added and unknown fields removed."""
    metadata = {key: value for key, value in body["metadata"].items() if key in metadata_rules.KNOWN}
    metadata.pop("selfLink", None)
    rest = {key: value for key, value in body.items() if key != "metadata"}
    return {**with_defaults(definition.schema, pruned(definition.schema, rest)), "metadata": metadata}


def judge(definition: Definition, body: Object, old: Object | None) -> None:
    """Refuse an invalid object. The refusal lists everything that is wrong with it."""
    refused = list(metadata_rules.changes_refused(body, old)) if old is not None else []
    rest = {key: value for key, value in body.items() if key != "metadata"}
    # A real server reports some problems of an update more than once, because two layers check them.
    again = list(metadata_rules.attached_violations(body)) if old is not None else []
    others = (*metadata_rules.violations(body), *again, *again, *refused, *refused)
    causes = violations(definition.schema, rest, NOTHING if old is None else old, others)
    if causes:
        raise invalid(definition.group, definition.kind, body["metadata"].get("name", ""), causes)


def unknown_in(definition: Definition, body: Object) -> list[str]:
    """The paths of the unknown fields of an object."""
    metadata = body["metadata"]
    unknown = [*OBJECT_META.unknown(metadata, "metadata")]
    rest = {key: value for key, value in body.items() if key != "metadata"}
    return unknown + sorted(unknown_fields(definition.schema, rest))


def check_place(metadata: dict[str, Any], namespace: str, name: str) -> None:
    """Refuse a body whose name or namespace differs from that of the URL."""
    if not metadata.get("name"):
        problem = f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        raise Refusal(400, "BadRequest", problem)
    if metadata["name"] != name:
        problem = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        raise Refusal(400, "BadRequest", problem)
    if metadata.get("namespace", namespace) != namespace:
        problem = "the namespace of the provided object does not match the namespace sent on the request"
        raise Refusal(400, "BadRequest", problem)
    if namespace:
        metadata["namespace"] = namespace


def check_uid(definition: Definition, metadata: dict[str, Any], live: Object) -> None:
    """Refuse a body whose uid is that of another object."""
    name, actual = live["metadata"]["name"], live["metadata"]["uid"]
    wanted = metadata.get("uid", actual)
    if wanted != actual:
        where = "/".join(filter(None, (definition.plural, live["metadata"].get("namespace"), name)))
        key = f"StorageError: invalid object, Code: 4, Key: /registry/{definition.group}/{where}, ResourceVersion: 0"
        problem = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {actual}"
        raise conflict(definition, name, f"{key}, AdditionalErrorMsg: {problem}")


def check_versioned(definition: Definition, metadata: dict[str, Any], live: Object) -> None:
    """Refuse an update without a resourceVersion."""
    if metadata.get("resourceVersion", "").strip("0") == "":
        cause = Cause.invalid("metadata.resourceVersion", "0: must be specified for an update")
        name = live["metadata"]["name"]
        message = f'{definition.resource} "{name}" is invalid: {cause.field}: {cause.message}'
        about = {"name": name, "kind": definition.plural, "group": definition.group}
        raise Refusal(422, "Invalid", message, causes=(cause,), **about)


def check_versions(definition: Definition, metadata: dict[str, Any], live: Object) -> None:
    """Refuse a body whose resourceVersion is not that of the live object."""
    version = metadata.get("resourceVersion") or live["metadata"]["resourceVersion"]
    if problem := unsigned_problem(version):
        raise Refusal(500, "", problem)
    if version.lstrip("0") != live["metadata"]["resourceVersion"]:
        raise conflict(definition, live["metadata"]["name"], MODIFIED)


def check_delete(definition: Definition, wanted: dict[str, Any], live: Object) -> None:
    """Refuse a delete whose preconditions do not match the live object."""
    name, metadata = live["metadata"]["name"], live["metadata"]
    checks = (
        ("uid", "UID", "The object might have been deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "The object might have been modified"),
    )
    for key, label, hint in checks:
        if wanted.get(key) not in (None, metadata[key]):
            problem = (
                f"the {label} in the precondition ({wanted[key]}) "
                f"does not match the {label} in record ({metadata[key]})"
            )
            about = {"name": name, "kind": definition.kind, "group": definition.group}
            message = (
                f'Operation cannot be fulfilled on {definition.kind}.{definition.group} "{name}": {problem}. {hint}'
            )
            raise Refusal(409, "Conflict", message, **about)


def conflict(definition: Definition, name: str, problem: str) -> Refusal:
    """The refusal of a write that conflicts with the live object."""
    message = f'Operation cannot be fulfilled on {definition.resource} "{name}": {problem}'
    return Refusal(409, "Conflict", message, name=name, kind=definition.plural, group=definition.group)


def not_found(definition: Definition, name: str) -> Refusal:
    """The refusal of a request for an object that does not exist."""
    message = f'{definition.resource} "{name}" not found'
    return Refusal(404, "NotFound", message, name=name, kind=definition.plural, group=definition.group)
