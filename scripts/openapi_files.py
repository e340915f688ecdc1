"""OpenAPI documents as files: parsed from JSON or YAML, stored in a canonical form, written atomically. No network."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from rsspot.utils.files import write_private

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unusable(Exception):
    """No usable document; the message says why in one sentence."""


def document_of(body: bytes) -> dict[str, Any]:
    """The OpenAPI document in a body of JSON or YAML. Raises Unusable."""
    try:
        text = body.decode("utf-8-sig")
        try:
            # Some published documents have raw control characters in their strings.
            found = json.loads(text, strict=False)
        except ValueError:
            found = _plain(_from_yaml(text))
    except (ValueError, yaml.YAMLError):
        raise Unusable("what it has is neither JSON nor YAML") from None
    except RecursionError:
        raise Unusable("its document is nested too deeply") from None
    version = found.get("swagger") or found.get("openapi") if isinstance(found, dict) else None
    if not (isinstance(version, str) and re.match(r"[23]\.", version) and isinstance(found.get("paths"), dict)):
        raise Unusable("what it has is not an OpenAPI document")
    document: dict[str, Any] = found
    return document


def _from_yaml(text: str) -> Any:
    # Nested aliases could expand to gigabytes.
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):
        raise Unusable("its YAML has aliases")
    return yaml.load(text, Loader=_Loader)


def _plain(value: Any) -> Any:
    """A YAML value converted to JSON types: keys such as status codes and dates become strings."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def canonical(document: Any) -> str:
    """The canonical text in which a document is stored. Raises Unusable for values that JSON cannot represent."""
    try:
        return spelt(document)
    except (TypeError, ValueError, RecursionError):
        raise Unusable("its document has values that JSON does not know") from None


def spelt(value: Any) -> str:
    """JSON with sorted keys and indentation, for readable diffs."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"


def publish(path: Path, text: str) -> None:
    """Replace a file atomically; it is readable by everyone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, text)
    path.chmod(0o644)
