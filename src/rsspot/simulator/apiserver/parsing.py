"""Parses request bodies (JSON and YAML) and options. Finds duplicate fields and invalid option values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rsspot.simulator.apiserver.messages import Cause, Refusal, Request, invalid

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = (JSON, YAML, PROTOBUF)
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
PROPAGATIONS = ("Foreground", "Background", "Orphan")


class Twice(list[str]):
    """The paths of duplicate fields in a body, filled in while it is parsed."""


def media_type(request: Request) -> str:
    """The media type of a body, without parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip() or JSON


def document_of(request: Request, kind: str, twice: Twice | None = None) -> dict[str, Any]:
    """Parse the object in a body. The paths of duplicate fields are added to `twice`."""
    sent = media_type(request)
    if sent not in (JSON, YAML):
        problem = (
            f"the body of the request was in an unknown format - accepted media types include: {', '.join(ACCEPTED)}"
        )
        raise Refusal(415, "UnsupportedMediaType", problem)
    unrecognized = f"the object provided is unrecognized (must be of type {kind}): "
    text = request.body.decode(errors="replace")
    try:
        body = _from_yaml(text, twice) if sent == YAML else _from_json(text, twice)
    except ValueError as error:
        shown = text if text.strip() else "<empty>"
        problem = f"couldn't get version/kind; json parse error: {error} ({shown[:30]})"
        raise Refusal(400, "BadRequest", unrecognized + problem) from None
    if not isinstance(body, dict):
        problem = "couldn't get version/kind; json parse error: json: cannot unmarshal a value that is not an object"
        raise Refusal(400, "BadRequest", unrecognized + problem)
    if not body.get("kind"):
        problem = f"Object 'Kind' is missing in '{text}' ({text[:30]})"
        raise Refusal(400, "BadRequest", unrecognized + problem)
    return body


def _from_json(text: str, twice: Twice | None) -> Any:
    try:
        # Looking for duplicate fields makes parsing four times slower, so it is done only on request.
        return json.loads(text) if twice is None else _with_duplicates(text, twice)
    except RecursionError:
        raise ValueError("exceeded max depth") from None


def _with_duplicates(text: str, twice: Twice) -> Any:
    body = json.loads(text, object_pairs_hook=_Pairs)
    twice.extend(_repeated(body, ""))
    return _plain(body)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as pairs, including duplicate keys."""


def _repeated(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen = set()
        for key, inner in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                yield here
            seen.add(key)
            yield from _repeated(inner, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _repeated(item, f"{path}[{index}]")


def _plain(value: Any) -> Any:
    if isinstance(value, _Pairs):
        return {key: _plain(inner) for key, inner in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _from_yaml(text: str, twice: Twice | None) -> Any:
    import yaml

    try:
        node = yaml.compose(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        body = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        json.dumps(body)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"error converting YAML to JSON: yaml: {error}") from None
    if twice is not None and node is not None:
        twice.extend(_repeated_keys(node, ""))
    return body


def _repeated_keys(node: Any, path: str) -> Iterator[str]:
    if node.id == "mapping":
        seen = set()
        for key, inner in node.value:
            here = f"{path}.{key.value}" if path else str(key.value)
            if key.value in seen:
                yield here
            seen.add(key.value)
            yield from _repeated_keys(inner, here)
    elif node.id == "sequence":
        for index, item in enumerate(node.value):
            yield from _repeated_keys(item, f"{path}[{index}]")


def write_options(request: Request, options: str) -> str:
    """Check dryRun and fieldValidation. Returns how unknown fields are handled: Ignore, Warn or Strict."""
    causes = [*_dry_run_problems(request)]
    wanted = request.query.get("fieldValidation", "")
    if wanted not in VALIDATIONS:
        causes.append(unsupported("fieldValidation", wanted, VALIDATIONS))
    if causes:
        raise invalid("meta.k8s.io", options, "", causes)
    return wanted or "Warn"


def _dry_run_problems(request: Request) -> Iterator[Cause]:
    dry_run = request.query.get("dryRun")
    if dry_run is not None and dry_run != "All":
        message = f'Unsupported value: ["{dry_run}"]: supported values: "All"'
        yield Cause("FieldValueNotSupported", "dryRun", message)


def unsupported(field: str, value: str, supported: tuple[str, ...]) -> Cause:
    """The cause for a value that is not one of the supported values."""
    listed = ", ".join(f'"{choice}"' for choice in supported)
    return Cause("FieldValueNotSupported", field, f'Unsupported value: "{value}": supported values: {listed}')


def forbidden(field: str, problem: str) -> Cause:
    """The cause for a value that is not allowed."""
    return Cause("FieldValueForbidden", field, f"Forbidden: {problem}")


def delete_options(request: Request) -> dict[str, Any]:
    """Parse and check DeleteOptions from the body and the query."""
    options: dict[str, Any] = {}
    if request.body.strip():
        try:
            options = (
                _from_yaml(request.body.decode(), None) if media_type(request) == YAML else json.loads(request.body)
            )
        except ValueError as error:
            raise Refusal(500, "", f"couldn't get version/kind; json parse error: {error}") from None
        if not isinstance(options, dict):
            raise Refusal(400, "BadRequest", "DeleteOptions must be an object")
    query = request.query
    if "propagationPolicy" in query:
        options = {**options, "propagationPolicy": query["propagationPolicy"]}
    if "orphanDependents" in query:
        options = {**options, "orphanDependents": request.flag("orphanDependents")}
    causes = [*_dry_run_problems(request)]
    policy, orphans = options.get("propagationPolicy"), options.get("orphanDependents")
    if policy is not None and policy not in PROPAGATIONS:
        causes.append(unsupported("propagationPolicy", str(policy), (*PROPAGATIONS, "nil")))
    elif policy is not None and orphans is not None:
        problem = f'"{policy}": orphanDependents and deletionPropagation cannot be both set'
        causes.append(Cause.invalid("propagationPolicy", problem))
    if causes:
        raise invalid("meta.k8s.io", "DeleteOptions", "", causes)
    if not isinstance(options.get("preconditions") or {}, dict):
        raise Refusal(400, "BadRequest", "preconditions must be an object")
    return options


def propagation(options: dict[str, Any]) -> str:
    """The propagation policy: Foreground, Background or Orphan."""
    if options.get("propagationPolicy"):
        return str(options["propagationPolicy"])
    return "Orphan" if options.get("orphanDependents") else "Background"


def is_rehearsal(request: Request) -> bool:
    """Whether the request is a dry run: `dryRun=All` in the query, or in the body of a delete."""
    if request.query.get("dryRun") == "All":
        return True
    if request.method != "DELETE" or not request.body:
        return False
    dry_run = delete_options(request).get("dryRun") or ()
    return isinstance(dry_run, list) and "All" in dry_run
