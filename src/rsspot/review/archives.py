"""A file out of a ZIP archive that somebody else made, within bounds. Writes nothing."""

from __future__ import annotations

import io
import zipfile
import zlib

from rsspot.errors import NotFound, RsspotError, not_found
from rsspot.utils.reading import MOST_BYTES


def only_file(archive: bytes, name: str) -> bytes:
    """The file of this name, wherever in the archive. Raises NotFound, or RsspotError for what is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _content(opened, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, ValueError):
        raise RsspotError("the artifact is no ZIP archive that can be read") from None


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    found = [each for each in archive.infolist() if each.filename.rpartition("/")[2] == name]
    if len(found) != 1:
        raise _without(name, len(found))
    with archive.open(found[0]) as file:
        # What the archive says of the length need not be true.
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RsspotError(f"{name} in the artifact is larger than a plan can be")
    return content


def _without(name: str, count: int) -> NotFound:
    return not_found(f"the artifact has {count or 'no'} files named {name}")
