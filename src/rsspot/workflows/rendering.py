"""rendered(): manifests as they are understood, with all that is filled in and where it comes from. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsspot.manifests.annotations import written
from rsspot.manifests.manifest import Default, Manifest, ManifestSet
from rsspot.manifests.places import Place
from rsspot.manifests.variables import escaped
from rsspot.manifests.yaml_text import Comments, yaml_text
from rsspot.models.fields import DEFAULTED
from rsspot.planner.body import filled
from rsspot.planner.wire_form import wire_form
from rsspot.resources.description import FieldDescription, Many, described
from rsspot.resources.field import Path
from rsspot.resources.secrecy import without_secrets
from rsspot.utils.serialization import Document, at_path

SPEC = "spec"
OURS = "filled in by rsspot"
OF_FIELD = "default of the field"
OF_SERVICE = "default of the service"
RESOLVED = ("variables", "include")
"""What the manifests were made with: it has done its work."""


@dataclass(frozen=True)
class Rendered:
    """One document, with secrets masked. origin: where it was written.

    notes: path of a value that nobody wrote -> where it comes from · left: fields that the service chooses a value for
    """

    document: Document
    origin: str | None = None
    notes: Mapping[Place, str] = field(default_factory=dict)
    left: tuple[str, ...] = ()

    def as_yaml(self) -> str:
        """The document as YAML, with a comment behind each value that was not written."""
        head = f"# {self.origin}\n" if self.origin else ""
        left = tuple(f"{name}: {OF_SERVICE}" for name in self.left)
        comments = Comments(self.notes, {(SPEC,): left})
        return head + yaml_text(self.document, comments).removesuffix("\n")


def rendered(manifests: ManifestSet) -> list[Rendered]:
    """Every document, the Stack first."""
    return [*map(_stack, manifests.declared), *map(_rendered, manifests.manifests)]


def _stack(declared: Document) -> Rendered:
    spec = {key: value for key, value in (declared.get(SPEC) or {}).items() if key not in RESOLVED}
    return Rendered({**declared, SPEC: spec})


def _rendered(manifest: Manifest) -> Rendered:
    kind, fields, given = manifest.kind, described(manifest.kind.spec_model), filled(manifest)
    spec = {**manifest.spec, **{path[0]: default.value for path, default in given.items()}}
    defaults = {**given, **dict(_defaults(fields, spec, ()))}
    namespace = {"namespace": manifest.namespace} if manifest.namespace else {}
    document = {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": manifest.name, **namespace, **_metadata(manifest)},
        SPEC: _with(spec, defaults, ()),
    }
    return Rendered(
        escaped(without_secrets(kind, wire_form(document))),
        str(manifest.origin),
        {(SPEC, *path): default.source or OURS for path, default in defaults.items()},
        tuple(each.name for each in fields if each.has(DEFAULTED) and each.name not in spec),
    )


def _metadata(manifest: Manifest) -> Document:
    """Labels and annotations, with those that are not sent."""
    metadata: Document = manifest.body["metadata"]
    unsent = written(manifest.lifecycle)
    return {**metadata, "annotations": {**metadata.get("annotations", {}), **unsent}} if unsent else metadata


def _defaults(fields: Sequence[FieldDescription], written: Any, above: Path) -> Iterator[tuple[Path, Default]]:
    """The defaults of fields that nobody wrote, in the objects that somebody wrote."""
    for each in fields:
        path = (*above, each.name)
        value = at_path(written, (each.name,))
        if value is None and each.default is not None:
            yield path, Default(each.default, OF_FIELD)
        elif isinstance(value, dict) and each.many is Many.ONE:
            yield from _defaults(each.fields, value, path)


def _with(written: Document, defaults: Mapping[Path, Default], above: Path) -> Document:
    """What was written, with the defaults below a path."""
    inner = {
        key: _with(value, defaults, (*above, key)) if isinstance(value, dict) else value
        for key, value in written.items()
    }
    here = {path[-1]: default.value for path, default in defaults.items() if path[:-1] == above}
    return {**inner, **here}
