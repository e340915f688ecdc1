"""The messages of a step: one line each, with the places in the manifest, and without secrets."""

from __future__ import annotations

from rsspot.errors import RsspotError
from rsspot.planner.change import Change
from rsspot.utils.secrets import Secrets
from rsspot.utils.serialization import at_path


def without_secrets(change: Change, text: str) -> str:
    """A message without the secrets that the service may have quoted in it."""
    hidden = {at_path(change.body, path) for path in change.secrets}
    hidden |= {value for edit in change.edits if edit.secret for value in (edit.before, edit.after)}
    return Secrets(each for each in hidden if isinstance(each, str)).mask(text)


def explained(error: RsspotError, change: Change) -> str:
    """An error in one line, with the fields that the service named and the places where they were written."""
    causes = getattr(error, "causes", None) or {}
    details = []
    for name, message in causes.items():
        origin = change.where(tuple(name.split("."))) if name else None
        named = f"{name}: {message}"
        named = "" if not name or named in error.message else named
        details.append(": ".join(part for part in (str(origin) if origin else "", named) if part))
    fields = "; ".join(detail for detail in details if detail)
    return f"{error.message} ({fields})" if fields else error.message
