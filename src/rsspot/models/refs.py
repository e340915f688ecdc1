"""Ref: identifies an object by kind and wire name. Also derives UUID names and checks names for URLs. Sends nothing."""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple

from rsspot.constants import NAME_SPACE

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SEGMENT = re.compile(r"[a-z0-9]([-a-z0-9._]{0,251}[a-z0-9])?")
_NAME_SPACE = uuid.UUID(NAME_SPACE)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Ref(NamedTuple):
    """A kind and a wire name inside one organization."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def wire_uuid(*parts: str) -> str:
    """The UUIDv5 of these parts: always the same for the same parts, on every machine."""
    return str(uuid.uuid5(_NAME_SPACE, "\x1f".join(parts)))


def is_uuid(name: str) -> bool:
    """Whether a name is a lowercase UUID."""
    return UUID.fullmatch(name) is not None


def path_segment(name: str) -> str:
    """A name, checked to be safe as the last segment of a URL. Raises ValueError if it could address something else.

    The API server treats `DELETE …/cloudspaces/` as "delete them all", so an empty name must never be sent.
    """
    if not _SEGMENT.fullmatch(name) or ".." in name:
        raise ValueError(f"{name!r} is not the name of an object")
    return name
