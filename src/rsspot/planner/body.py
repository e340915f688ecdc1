"""Whole objects as they are to be sent, from what their author wrote. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.manifests.manifest import Default, Manifest
from rsspot.planner.change import Change
from rsspot.planner.wire_form import wire_form
from rsspot.resources.consistency import filled_in
from rsspot.resources.field import Path
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document


def body_of(manifest: Manifest, name: str, stack: str) -> Document:
    """The object as it is to be sent: what the author wrote, the wire name, and our marks. Nulls are left out."""
    metadata = _without_nulls(manifest.body["metadata"])
    labels = {**metadata.get("labels", {}), STACK_LABEL: stack}
    annotations = dict(metadata.get("annotations", {}))
    if name != manifest.name:
        annotations[NAME_ANNOTATION] = manifest.name
    return {
        "apiVersion": manifest.kind.api_version,
        "kind": manifest.kind.name,
        "metadata": {"name": name, "labels": labels} | ({"annotations": annotations} if annotations else {}),
        "spec": wire_form(_without_nulls(whole_spec(manifest))),
    }


def whole_spec(manifest: Manifest) -> Document:
    """The spec of a new object, with what is filled in where its author wrote nothing."""
    # Such fields are at the top of a spec.
    return {**manifest.spec, **{path[0]: default.value for path, default in filled(manifest).items()}}


def filled(manifest: Manifest) -> dict[Path, Default]:
    """What a new object gets where its author wrote nothing, by the field, with its source if that is a setting."""
    chosen = filled_in(manifest.kind, manifest.spec)
    return {**manifest.defaults, **{path: Default(value, "") for path, value in chosen.items()}}


def expansion(
    change: Change, group: Document, kinds: Mapping[str, Kind[Any]], organization: str, stack: str
) -> list[Document]:
    """The objects that a deferred change turns out to stand for, as they are to be sent."""
    source = kinds[change.ref.kind]
    assert source.expand and source.expands_to and change.body
    inner, bodies = kinds[source.expands_to], []
    for body in source.expand(change.body, group):
        manifest = Manifest(inner, body["metadata"]["name"], {**body, "metadata": {}})
        bodies.append(body_of(manifest, inner.wire_name(organization, manifest.name, manifest.spec), stack))
    return bodies


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
