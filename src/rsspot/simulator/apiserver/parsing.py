"""Parses request bodies (JSON and YAML) and options. Finds duplicate fields and invalid option values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rsspot.simulator.apiserver.decoding import Mismatch, parsed
from rsspot.simulator.apiserver.messages import Cause, Refusal, Request, invalid
from rsspot.simulator.apiserver.object_meta import DELETE_OPTIONS, TYPE_META
from rsspot.simulator.apiserver.queries import forbidden, number_asked, unsupported

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = (JSON, YAML, PROTOBUF)
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
PROPAGATIONS = ("Foreground", "Background", "Orphan")
APPLY = "application/apply-patch+yaml"
LONGEST_MANAGER = 128


_UNKNOWN = "couldn't get version/kind; json parse error"
_TYPE_META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'


class Twice(list[str]):
    """The paths of duplicate fields in a body, filled in while it is parsed."""


def media_type(request: Request) -> str:
    """The media type of a body, without parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip() or JSON


def document_of(request: Request, kind: str, twice: Twice | None = None) -> dict[str, Any]:
    """Parse the object in a body. The paths of duplicate fields are added to `twice`."""
    sent = media_type(request).lower()
    if sent not in (JSON, YAML):
        problem = (
            f"the body of the request was in an unknown format - accepted media types include: {', '.join(ACCEPTED)}"
        )
        raise Refusal(415, "UnsupportedMediaType", problem)
    text = request.body.decode(errors="replace")
    try:
        body = _from_yaml(request, twice) if sent == YAML else _from_json(text, twice)
        check_type_meta(body, text)
    except (Mismatch, ValueError) as error:
        shown = f"{text[:30]} ..." if len(text) > 30 else text or "<empty>"
        problem = f"the object provided is unrecognized (must be of type {kind}): {error} ({shown})"
        raise Refusal(400, "BadRequest", problem) from None
    return dict(body)


def check_type_meta(body: Any, text: str) -> None:
    """Refuse a body that does not say what it is. Raises ValueError or Mismatch."""
    try:
        if not isinstance(body, dict):
            raise Mismatch.of(body, "", _TYPE_META)
        TYPE_META.decoded(body)
    except Mismatch as mismatch:
        raise ValueError(f"{_UNKNOWN}: {mismatch}") from None
    if (body.get("apiVersion") or "").count("/") > 1:
        raise ValueError(f"unexpected GroupVersion string: {body['apiVersion']}")
    if not body.get("kind"):
        raise ValueError(f"Object 'Kind' is missing in '{text}'")


def _from_json(text: str, twice: Twice | None) -> Any:
    try:
        # Looking for duplicate fields makes parsing four times slower, so it is done only on request.
        body = parsed(text) if twice is None else parsed(text, pairs=_Pairs)
    except ValueError as error:
        raise ValueError(f"{_UNKNOWN}: {error}") from None
    if twice is None:
        return body
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


def _from_yaml(request: Request, twice: Twice | None) -> Any:
    body = request.yaml.checked()
    if twice is not None:
        twice.extend(request.yaml.repeated)
    return body


def parse_early(request: Request) -> None:
    """Parse a body in YAML, which may take long, before the lock that all requests need is taken."""
    if media_type(request).lower() in (YAML, APPLY):
        _ = request.yaml


def write_options(request: Request, options: str, others: Iterable[Cause] = ()) -> str:
    """Check fieldManager, dryRun and fieldValidation. Returns how unknown fields are handled: Ignore, Warn or Strict.

    others: further causes, about options that only some writes have
    """
    causes = [*others, *_manager_problems(request.query.get("fieldManager", "")), *_dry_run_problems(request)]
    wanted = request.query.get("fieldValidation", "")
    if wanted not in VALIDATIONS:
        causes.append(unsupported("fieldValidation", wanted, VALIDATIONS))
    if causes:
        raise invalid("meta.k8s.io", options, "", causes)
    return wanted or "Warn"


def patch_options(request: Request) -> str:
    """Check the options of a patch; see `write_options`."""
    if media_type(request) != APPLY:
        problem = forbidden("force", "may not be specified for non-apply patch")
        return write_options(request, "PatchOptions", [problem] if "force" in request.query else [])
    required = Cause("FieldValueRequired", "fieldManager", "Required value: is required for apply patch")
    return write_options(request, "PatchOptions", [] if request.query.get("fieldManager") else [required])


def _manager_problems(name: str) -> Iterator[Cause]:
    if len(name.encode()) > LONGEST_MANAGER:
        yield Cause("FieldValueTooLong", "fieldManager", f"Too long: may not be more than {LONGEST_MANAGER} bytes")
    for position, letter in enumerate(name):
        if not letter.isprintable():
            problem = f"invalid character U+{ord(letter):04X} (at position {position})"
            # Python and Go write such characters alike, but for the quotes around them.
            yield Cause.invalid("fieldManager", f'"{repr(name)[1:-1]}": {problem}')


def _dry_run_problems(request: Request) -> Iterator[Cause]:
    if "dryRun" in request.query:
        yield from _not_all([request.query["dryRun"]])


def _not_all(dry_run: list[str]) -> Iterator[Cause]:
    if any(value != "All" for value in dry_run):
        shown = json.dumps(dry_run, separators=(",", ":"))
        yield Cause("FieldValueNotSupported", "dryRun", f'Unsupported value: {shown}: supported values: "All"')


def delete_options(request: Request) -> dict[str, Any]:
    """Parse and check DeleteOptions. They are in the body, or else in the query."""
    options = _submitted_options(request) if request.body.strip() else _asked_options(request)
    causes = [*_not_all(options.get("dryRun", []))]
    policy, orphans = options.get("propagationPolicy"), options.get("orphanDependents")
    if policy is not None and policy not in PROPAGATIONS:
        causes.append(unsupported("propagationPolicy", policy, (*PROPAGATIONS, "nil")))
    elif policy is not None and orphans is not None:
        problem = f'"{policy}": orphanDependents and deletionPropagation cannot be both set'
        causes.append(Cause.invalid("propagationPolicy", problem))
    if causes:
        raise invalid("meta.k8s.io", "DeleteOptions", "", causes)
    return options


def _submitted_options(request: Request) -> dict[str, Any]:
    text = request.body.decode(errors="replace")
    try:
        options = _from_yaml(request, None) if media_type(request) == YAML else _from_json(text, None)
        kind = "DeleteOptions"
        check_type_meta({"kind": kind, **options} if isinstance(options, dict) else options, text)
        if options.get("kind", kind) != kind:
            about = f'kind "{options["kind"]}" is registered for version "{options.get("apiVersion", "")}"'
            raise ValueError(f'no {about} in scheme "pkg/runtime/scheme.go:110"')
        return dict(DELETE_OPTIONS.decoded(options))
    except (ValueError, Mismatch) as error:
        raise Refusal(500, "", str(error)) from None


def _asked_options(request: Request) -> dict[str, Any]:
    query = request.query
    options: dict[str, Any] = {}
    if "gracePeriodSeconds" in query:
        options["gracePeriodSeconds"] = number_asked(request, "gracePeriodSeconds")
    if "propagationPolicy" in query:
        options["propagationPolicy"] = query["propagationPolicy"]
    if "orphanDependents" in query:
        options["orphanDependents"] = request.flag("orphanDependents")
    if "dryRun" in query:
        options["dryRun"] = [query["dryRun"]]
    return options


def propagation(options: dict[str, Any]) -> str:
    """The propagation policy: Foreground, Background or Orphan."""
    if options.get("propagationPolicy"):
        return str(options["propagationPolicy"])
    return "Orphan" if options.get("orphanDependents") else "Background"


def is_rehearsal(request: Request) -> bool:
    """Whether the request is a dry run."""
    if request.method == "DELETE":
        return "All" in delete_options(request).get("dryRun", ())
    return request.query.get("dryRun") == "All"
