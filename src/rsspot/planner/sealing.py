"""Sealing: enough of a secret to recognize it when a saved plan is applied, and too little to find it."""

from __future__ import annotations

import hashlib
from typing import Any

from rsspot.planner.change import Change, Path
from rsspot.planner.diff import path_key
from rsspot.utils.serialization import at_path


def seals_of(change: Change) -> dict[str, str]:
    """A seal for each secret of a change, by its path: enough to know the same secret again, not to find it."""
    values = {path: at_path(change.body, path) for path in change.secrets}
    values |= {edit.path: edit.after for edit in change.edits if edit.secret and edit.after is not None}
    return {path_key(path): seal(change.address, path, value) for path, value in sorted(values.items())}


def seal(address: str, path: Path, value: Any) -> str:
    """A slow hash, salted with the place: guessing is expensive, and the same plan has the same seals."""
    salt = f"{address}/{path_key(path)}".encode()
    return "scrypt:" + hashlib.scrypt(str(value).encode(), salt=salt, n=2**12, r=8, p=1, dklen=24).hex()
