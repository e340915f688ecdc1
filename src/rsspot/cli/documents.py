"""JSON documents that commands write to a file of their owner alone, or to standard output, and read back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rsspot.errors import UsageError
from rsspot.utils.files import write_private
from rsspot.utils.output import as_json
from rsspot.utils.reading import MOST_BYTES, parse_json, read_text

STANDARD = "-"
"""The file that stands for standard input and output."""


def write_document(out: Path | None, document: object) -> None:
    """Write a document, atomically where it goes to a file. Raises UsageError."""
    text = as_json(document) + "\n"
    if out is None or str(out) == STANDARD:
        print(text, end="")
        return
    try:
        write_private(out, text, follow=False)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from None


def read_document(file: Path, *, most: int = MOST_BYTES) -> Any:
    """Read a document. most: bytes. Raises UsageError."""
    try:
        return parse_json(_standard_input(most) if str(file) == STANDARD else read_text(file, most=most, pipes=True))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{file} is not valid JSON (line {error.lineno}, column {error.colno})") from None
    except ValueError as error:
        raise UsageError(f"cannot read {file}: {error}") from None


def _standard_input(most: int) -> str:
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return sys.stdin.read(most)
