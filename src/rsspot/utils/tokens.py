"""What a token looks like, wherever one is read: typed, piped, printed by a program, in a file or from the service."""

from __future__ import annotations

LONGEST_TOKEN = 64 * 1024
"""How much is read where a token should be. More than that is another file or output, chosen by mistake."""


def trimmed(text: str) -> str:
    """A text without the white space and the byte order mark around it."""
    return text.strip().removeprefix("\ufeff").lstrip()


def is_token(text: str) -> bool:
    """Whether a trimmed text can be a token. One with spaces or line breaks could not be sent in a header."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
