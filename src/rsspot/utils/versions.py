"""Versions of the form x.y.z, as numbers that can be compared."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?:[-+].*)?")


def version_parts(version: object) -> tuple[int, int, int] | None:
    """The three numbers of a version, also of one such as v1.33.0+build; None for anything else."""
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    return (int(match[1]), int(match[2]), int(match[3])) if match else None
