"""Which parts of an object are secret: by their field, and by their value wherever else it stands. Sends nothing.

kubectl keeps a copy of what it applied in an annotation, and people paste a URL into a second field. So what hides only
the field that is declared secret hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rsspot.errors import UsageError
from rsspot.models.fields import SECRET
from rsspot.resources.field import Path
from rsspot.resources.kind import Kind
from rsspot.utils.reading import parse_json
from rsspot.utils.secrets import MASK, Secrets
from rsspot.utils.serialization import Document, at_path

SPEC = "spec"


def secrets_of(kind: Kind[Any], *documents: Document | None) -> Secrets:
    """The values of the secret fields of some objects, and of copies of them that stand in annotations as JSON."""
    if not kind.holds_secrets:
        return NONE
    return Secrets(value for document in documents if document for value in _values(kind, document))


def secret_paths(kind: Kind[Any], document: Document, hidden: Secrets | None = None) -> tuple[Path, ...]:
    """Where an object holds secrets: its secret fields, and each other text with one of `hidden`, or its own, in it."""
    fields = {(SPEC, *path) for path in kind.marked(SECRET) if at_path(document, (SPEC, *path)) is not None}
    hidden = hidden or secrets_of(kind, document)
    if hidden:
        fields |= {path for path, text in texts(document, ()) if hidden.in_text(text)}
    return tuple(sorted(fields))


def without_secrets(kind: Kind[Any], document: Document) -> Document:
    """A copy of an object with its secrets masked, wherever in it they stand."""
    hidden = secrets_of(kind, document)
    if not hidden:
        return document
    fields = {(SPEC, *path) for path in kind.marked(SECRET)}
    masked: Document = _masked(document, (), hidden, fields)
    return masked


def holds_mask(text: str) -> bool:
    """Whether a text was printed with a secret masked in it: sent back, the mask would replace the secret."""
    return "(secret" in text and _MASK.search(text) is not None


def masked_in(document: Document) -> bool:
    """Whether a text of a document holds a mask."""
    return any(holds_mask(text) for _, text in texts(document, ()))


def refuse_masks(body: Any, what: str) -> None:
    """Raise UsageError if a text of a body holds a mask: what was printed and is sent back would replace the secret."""
    if any(holds_mask(text) for _, text in texts(body, ())):
        hint = "write the secret itself: `get --show-secrets` prints it"
        raise UsageError(f"a value of {what} holds a mask instead of a secret", hint=hint)


NONE = Secrets(())
_MASK = re.compile(r"\(secret(?: #\d+)?\)")


def _masked(value: Any, path: Path, hidden: Secrets, fields: set[Path]) -> Any:
    if path in fields and value is not None:
        return MASK
    if isinstance(value, dict):
        return {key: _masked(inner, (*path, key), hidden, fields) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, path, hidden, set()) for inner in value]
    return hidden.mask(value) if isinstance(value, str) else value


def _values(kind: Kind[Any], document: Document) -> Iterator[str]:
    annotations = at_path(document, ("metadata", "annotations"))
    copies = (_parsed(text) for text in annotations.values()) if isinstance(annotations, dict) else ()
    for each in (document, *copies):
        for path in kind.marked(SECRET):
            value = at_path(each, (SPEC, *path))
            if isinstance(value, str) and value:
                yield value


def _parsed(text: Any) -> Any:
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None


def texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text of an object outside lists, by its path; a list counts as one text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*path, str(key)))
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        yield path, str(value)
