"""Texts that tests compare with files beside them; with RSSPOT_RECORD=1 the files are written instead."""

from __future__ import annotations

import os
from pathlib import Path

RECORDING = bool(os.environ.get("RSSPOT_RECORD"))


def same_as_recorded(file: Path, text: str) -> None:
    """Compare a text with a file. Fails, with the difference, for any other text and for a file that is missing."""
    if RECORDING:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
