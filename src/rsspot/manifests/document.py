"""manifest_of(): one document as a manifest, validated against its kind, and every problem with its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rsspot.constants import LEASE_ANNOTATION, NAME_ANNOTATION, ON_REMOVE_ANNOTATION, STACK_LABEL
from rsspot.errors import Problem
from rsspot.manifests.annotations import take_lifecycle, with_defaults
from rsspot.manifests.defaults import defaults_of
from rsspot.manifests.leaks import unsendable
from rsspot.manifests.lifecycle import Lifecycle
from rsspot.manifests.manifest import Default, Manifest
from rsspot.manifests.matrix import clause_of
from rsspot.manifests.own_documents import DOCUMENTS
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source
from rsspot.manifests.stack import Defaults
from rsspot.manifests.validation import bad_name, missing_field, unknown_field, validated
from rsspot.models.fields import COMMAND, SECRET, SERVER_OWNED
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import AuthoredMetadata, Metadata
from rsspot.resources.field import Path as SpecPath
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import at_path
from rsspot.utils.text import did_you_mean

BOOKKEEPING = (STACK_LABEL, NAME_ANNOTATION, LEASE_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration")
"""Labels and annotations that rsspot and kubectl write themselves: ignored, so that live objects can be manifests."""
SERVERS_METADATA = ("managedFields", "ownerReferences", "selfLink", "deletionGracePeriodSeconds", "generateName")
"""Metadata that only a server writes, besides what the model knows."""
TOP_KEYS = ("apiVersion", "kind", "metadata", "spec", "status")


def manifest_of(
    source: Source,
    problems: list[Problem],
    of_stack: Defaults | None = None,
    region: Callable[[], Default | None] = lambda: None,
) -> Manifest | None:
    """The manifest that a document is; None where there are problems, which are added to `problems`.

    of_stack: what the Stack says for objects that say nothing · region: that of new objects that name none
    Its references must be filled in.
    """
    before = len(problems)
    document = source.value
    if not isinstance(document, dict):
        message = "a manifest is a mapping with apiVersion, kind, metadata and spec"
        problems.append(Problem(message, source.origin(), rule=ManifestRule.VALUE))
        return None
    kind = _kind(source, problems)
    for key in document:
        if key not in TOP_KEYS:
            problems.append(unknown_field(key, source.origin((key,)), TOP_KEYS))
    if kind is None:
        return None
    metadata, lifecycle = _metadata(kind, source, problems)
    defaults = defaults_of(kind, source, region)
    spec = _spec(kind, source, problems, defaults)
    problems += unsendable(kind, source)
    if len(problems) > before:
        return None
    lifecycle = with_defaults(lifecycle, kind, of_stack or Defaults())
    body = {"metadata": _with_protection(metadata, lifecycle, kind), "spec": _resolve_programs(kind, spec, source)}
    name, namespace = document["metadata"]["name"], document["metadata"].get("namespace")
    return Manifest(
        kind,
        str(name),
        body,
        source.origin(("metadata", "name")),
        namespace=str(namespace) if namespace else None,
        origins=source.marks,
        lifecycle=lifecycle,
        defaults=defaults,
        combination=clause_of(source, [str(at_path(spec, path)) for path in kind.marked(SECRET)]),
    )


@cache
def authored_kinds() -> dict[str, Kind[Any]]:
    """The kinds that users write manifests of, by name. A Stack is no object, and none of them."""
    return {name: kind for name, kind in kinds().items() if kind.authored and (kind.manageable or kind.expand)}


def _kind(source: Source, problems: list[Problem]) -> Kind[Any] | None:
    known = authored_kinds()
    name, version = source.value.get("kind"), source.value.get("apiVersion")
    kind = known.get(name) if isinstance(name, str) else None
    if kind is None:
        message = "missing field 'kind'" if name is None else f"unknown kind {name!r}"
        hint = did_you_mean(str(name), known) or f"kinds: {', '.join(sorted([*known, *DOCUMENTS]))}"
        problems.append(Problem(message, source.origin(("kind",)), hint, ManifestRule.KIND))
    elif version != kind.api_version:
        message = f"wrong apiVersion {version!r}" if version else "missing field 'apiVersion'"
        hint = f"{kind.name} is {kind.api_version}"
        problems.append(Problem(message, source.origin(("apiVersion",)), hint, ManifestRule.API_VERSION))
    return kind


def _metadata(kind: Kind[Any], source: Source, problems: list[Problem]) -> tuple[dict[str, Any], Lifecycle]:
    """The labels and annotations as written, and what annotations of ours say about the object's life.

    What only a server writes is ignored, so that its output can be a manifest.
    """
    written = source.value.get("metadata")
    if not isinstance(written, dict):
        problems.append(missing_field("metadata", source.origin(("metadata",))))
        return {}, Lifecycle()
    lifecycle = Lifecycle()
    if isinstance(annotations := written.get("annotations"), dict):
        annotations = dict(annotations)
        lifecycle = take_lifecycle(kind, annotations, source, problems)
        written = {**written, "annotations": annotations}
    ignored = _ignored_metadata()
    kept = {key: value for key, value in written.items() if key not in ignored}
    metadata = validated(AuthoredMetadata, kept, source, ("metadata",), problems)
    if metadata and not DNS_LABEL.fullmatch(str(metadata["name"])):
        problems.append(bad_name(str(metadata["name"]), source))
    sent: dict[str, Any] = {
        key: {name: value for name, value in metadata[key].items() if name not in BOOKKEEPING}
        for key in ("labels", "annotations")
        if key in metadata
    }
    return sent, lifecycle


@cache
def _ignored_metadata() -> frozenset[str]:
    """The fields of metadata that only a server writes."""
    servers = {info.alias or name for name, info in Metadata.model_fields.items()} | {*SERVERS_METADATA}
    return frozenset(servers - {info.alias or name for name, info in AuthoredMetadata.model_fields.items()})


def _with_protection(metadata: dict[str, Any], lifecycle: Lifecycle, kind: Kind[Any]) -> dict[str, Any]:
    """The metadata with what becomes of the object, which goes to the service also where the Stack says it."""
    annotations = metadata.get("annotations", {})
    if lifecycle.on_remove is None or kind.local or kind.expand or ON_REMOVE_ANNOTATION in annotations:
        return metadata
    return {**metadata, "annotations": {**annotations, ON_REMOVE_ANNOTATION: lifecycle.on_remove.value}}


def _spec(
    kind: Kind[Any], source: Source, problems: list[Problem], defaults: Mapping[SpecPath, Default]
) -> dict[str, Any]:
    """The spec as written, once it is valid together with what it gets from the settings."""
    written = source.value.get("spec")
    if not isinstance(written, dict):
        problems.append(missing_field("spec", source.origin(("spec",))))
        return {}
    servers = [path[0] for path in kind.marked(SERVER_OWNED) if len(path) == 1]
    given = {path[0]: default.value for path, default in defaults.items()}
    kept = {**given, **{key: value for key, value in written.items() if key not in servers}}
    spec = validated(kind.spec_model, kept, source, ("spec",), problems)
    return {key: value for key, value in spec.items() if key not in given}


def _resolve_programs(kind: Kind[Any], spec: dict[str, Any], source: Source) -> dict[str, Any]:
    """Resolve programs that are given relative to the manifest."""
    for path in kind.marked(COMMAND):
        *parents, last = path
        holder: Any = spec
        for part in parents:
            holder = holder.get(part) if isinstance(holder, dict) else None
        command = holder.get(last) if isinstance(holder, dict) else None
        if command and command[0].startswith(("./", "../")):
            # Absolute, so that a saved plan which is applied from another folder does not run that folder's program.
            beside = Path(source.origin(("spec", *path, 0)).file).parent
            holder[last] = [os.path.abspath(beside / command[0]), *command[1:]]  # noqa: PTH100
    return spec
