"""Kubernetes versions: their form, and the ones on record. The service has no list of them to ask for."""

from __future__ import annotations

import re

KNOWN = ("1.29.6", "1.30.10", "1.31.1", "1.32.9", "1.33.0")
"""Versions seen in the service's documentation and clients."""
_FULL = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}")
FULL_PATTERN = f"^{_FULL.pattern}$"


def full_version(version: str) -> str:
    """The version, if it has the form x.y.z that the service requires. Raises ValueError otherwise."""
    if not _FULL.fullmatch(version):
        raise ValueError("must be a full version such as 1.33.0")
    return version
