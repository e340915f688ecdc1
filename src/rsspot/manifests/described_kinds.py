"""Every kind with its fields, found by the words that people use for it. Renders nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rsspot.constants import LOCAL_API_VERSION
from rsspot.errors import UsageError
from rsspot.manifests.own_documents import DOCUMENTS
from rsspot.resources.description import FieldDescription, Many, Type, described, summary
from rsspot.resources.field import Path
from rsspot.resources.registry import kinds
from rsspot.utils.text import did_you_mean


@dataclass(frozen=True)
class KindDescription:
    """A kind, or a part of one. path: the field that it is about; empty for the whole kind."""

    kind: str
    api_version: str
    path: Path
    field: FieldDescription


def words() -> dict[str, str]:
    """The words for each kind, in lower case -> its name: `spotnodepool`, `spotnodepools`."""
    known = {word: kind.name for kind in kinds().values() for word in kind.aliases}
    return {**known, **{word: name for name in DOCUMENTS for word in (name.lower(), f"{name.lower()}s")}}


def kind_called(word: str) -> str:
    """The name of the kind that a word stands for. Raises UsageError."""
    known = words()
    if word.lower() not in known:
        names = sorted(set(known.values()))
        raise UsageError(f"no kind {word!r}", hint=did_you_mean(word, known) or f"kinds: {', '.join(names)}")
    return known[word.lower()]


def find(dotted: str) -> KindDescription:
    """What `KIND[.FIELD…]` is. A field of the spec needs no `spec.` before it. Raises UsageError."""
    word, *path = dotted.split(".")
    found = whole(kind_called(word))
    place, field = _at(found.field, tuple(path))
    return KindDescription(found.kind, found.api_version, place, field)


def whole(name: str) -> KindDescription:
    """All of a kind, or of a document of our own. Raises KeyError."""
    model = DOCUMENTS.get(name) or kinds()[name].model
    version = LOCAL_API_VERSION if name in DOCUMENTS else kinds()[name].api_version
    fields = tuple(_as_written(each) for each in described(model))
    root = FieldDescription(name, Type.OBJECT, Many.ONE, summary(model), required=True, nullable=False, fields=fields)
    return KindDescription(name, version, (), root)


def _as_written(field: FieldDescription) -> FieldDescription:
    """A manifest has to name its version and kind. In a list of the service they are left out."""
    named = field.name in ("apiVersion", "kind")
    return replace(field, required=True, default=None) if named else field


def _at(root: FieldDescription, path: Path) -> tuple[Path, FieldDescription]:
    """The field at a path, and the whole path to it. Raises UsageError that names the part that is unknown."""
    names = {each.name for each in root.fields}
    full = ("spec", *path) if path and path[0] not in names else path
    field, done = root, ""
    for part in full:
        below = field.at((part,))
        if below is None:
            known = {each.name for each in field.fields} | (names if field.name == "spec" else set())
            hint = did_you_mean(part, known) or (f"fields: {', '.join(sorted(known))}" if known else None)
            raise UsageError(f"{root.name}{done} has no field {part!r}", hint=hint)
        field, done = below, f"{done}.{part}"
    return full, field
