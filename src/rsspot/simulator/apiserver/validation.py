"""What is wrong with a write: the body's kind, place and version, its unknown fields, and the object it would make.

Refuses, and completes what is good; stores nothing.
"""

from __future__ import annotations

from typing import Any

from rsspot.simulator.apiserver import metadata as metadata_rules
from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Cause, Refusal, invalid
from rsspot.simulator.apiserver.parsing import Twice
from rsspot.simulator.apiserver.schema import NOTHING, pruned, unknown_fields, violations, with_defaults
from rsspot.simulator.apiserver.store import Object

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def strictly(definition: Definition, body: Object, strictness: str, twice: Twice) -> tuple[str, ...]:
    """Refuse unknown and repeated fields, or give them as warnings, as the request wants it."""
    if strictness == "Ignore":
        return ()
    said = [f'duplicate field "{path}"' for path in twice]
    said += [f'unknown field "{path}"' for path in unknown_in(definition, body)]
    if said and strictness == "Strict":
        subject = f'{definition.kind} in version "{definition.version}" cannot be handled as a {definition.kind}'
        raise Refusal(400, "BadRequest", f"{subject}: strict decoding error: {', '.join(said)}")
    return (*said, *metadata_rules.warnings(body))


def check_version(definition: Definition, body: Object) -> None:
    """Refuse a body of another version than the path's."""
    if body.get("apiVersion") != definition.api_version:
        said = f"the API version in the data ({body.get('apiVersion') or ''}) does not match the expected API version"
        raise Refusal(400, "BadRequest", f"{said} ({definition.api_version})")


def check_kind(definition: Definition, body: Object) -> None:
    """Refuse a body of another kind than the path's."""
    for field, wanted in (("apiVersion", definition.api_version), ("kind", definition.kind)):
        found = body.get(field)
        if found != wanted:
            cause = Cause.invalid(field, f'"{found}": must be {wanted}')
            raise invalid(definition.group, str(body.get("kind")), body["metadata"].get("name", ""), [cause])


def completed(definition: Definition, body: Object) -> Object:
    """An object with its defaults and without unknown fields."""
    metadata = {key: value for key, value in body["metadata"].items() if key in metadata_rules.KNOWN}
    metadata.pop("selfLink", None)
    rest = {key: value for key, value in body.items() if key != "metadata"}
    return {**with_defaults(definition.schema, pruned(definition.schema, rest)), "metadata": metadata}


def judge(definition: Definition, body: Object, old: Object | None) -> None:
    """Refuse an object with everything that is wrong with it."""
    refused = list(metadata_rules.changes_refused(body, old)) if old is not None else []
    rest = {key: value for key, value in body.items() if key != "metadata"}
    # What cannot be changed is found twice, once by each layer that looks.
    others = (*metadata_rules.violations(body), *refused, *refused)
    wrong = violations(definition.schema, rest, NOTHING if old is None else old, others)
    if wrong:
        raise invalid(definition.group, definition.kind, body["metadata"].get("name", ""), wrong)


def unknown_in(definition: Definition, body: Object) -> list[str]:
    """The paths of the fields that nothing here knows."""
    metadata = body["metadata"]
    odd = [f"metadata.{key}" for key in metadata if key not in metadata_rules.KNOWN]
    rest = {key: value for key, value in body.items() if key != "metadata"}
    return odd + sorted(unknown_fields(definition.schema, rest))


def check_place(metadata: dict[str, Any], live: Object) -> None:
    """A body's name and namespace must be those of the URL."""
    name, namespace = live["metadata"]["name"], live["metadata"].get("namespace")
    if metadata.get("name") != name:
        said = f"the name of the object ({metadata.get('name', '')}) does not match the name on the URL ({name})"
        raise Refusal(400, "BadRequest", said)
    if metadata.get("namespace", namespace) != namespace:
        raise Refusal(400, "BadRequest", "the namespace of the object does not match the namespace on the URL")
    if namespace:
        metadata["namespace"] = namespace


def check_versions(definition: Definition, metadata: dict[str, Any], live: Object) -> None:
    """A body that names a version must name the live one."""
    version = metadata.get("resourceVersion") or live["metadata"]["resourceVersion"]
    if not (version.isascii() and version.isdigit()):
        raise Refusal(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if version != live["metadata"]["resourceVersion"]:
        raise conflict(definition, live["metadata"]["name"], MODIFIED)


def check_delete(definition: Definition, wanted: dict[str, Any], live: Object) -> None:
    """Refuse a delete of another object, or of another version, than the one there is."""
    name, metadata = live["metadata"]["name"], live["metadata"]
    checks = (
        ("uid", "UID", "The object might have been deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "The object might have been modified"),
    )
    for key, word, guess in checks:
        if wanted.get(key) not in (None, metadata[key]):
            said = (
                f"the {word} in the precondition ({wanted[key]}) does not match the {word} in record ({metadata[key]})"
            )
            about = {"name": name, "kind": definition.kind, "group": definition.group}
            message = f'Operation cannot be fulfilled on {definition.kind}.{definition.group} "{name}": {said}. {guess}'
            raise Refusal(409, "Conflict", message, **about)


def conflict(definition: Definition, name: str, said: str) -> Refusal:
    """A write that came too late."""
    message = f'Operation cannot be fulfilled on {definition.resource} "{name}": {said}'
    return Refusal(409, "Conflict", message, name=name, kind=definition.plural, group=definition.group)
