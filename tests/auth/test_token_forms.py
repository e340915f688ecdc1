"""What a token looks like is one rule, wherever the token comes from, and no text that breaks it is quoted."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rsspot.auth.command import printed_token
from rsspot.auth.token import Token
from rsspot.cli.tokens import checked_token, token_from
from rsspot.config.loader import resolve
from rsspot.errors import RsspotError

CANARY = "canary-refresh-token"
Source = Callable[[str, Path], str | None]


def _argument(text: str, folder: Path) -> str | None:
    return checked_token(text, "--refresh-token")


def _piped(text: str, folder: Path) -> str | None:
    sys.stdin = io.StringIO(text)
    return token_from(from_stdin=True)


def _program(text: str, folder: Path) -> str | None:
    path = folder / "printed"
    path.write_text(text, encoding="utf-8")
    program = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    return printed_token([sys.executable, "-c", program, str(path)])


def _file(text: str, folder: Path) -> str | None:
    path = folder / "token"
    path.write_text(text, encoding="utf-8")
    token: str | None = resolve(environ={"HOME": str(folder), "RSSPOT_REFRESH_TOKEN_FILE": str(path)}).get(
        "refresh_token"
    )
    return token


def _header(text: str, folder: Path) -> str | None:
    return Token.parse(text).bearer


@pytest.fixture(params=[_argument, _piped, _program, _file, _header])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Each way that a token comes in."""
    # Restores it after the test.
    monkeypatch.setattr(sys, "stdin", sys.stdin)
    chosen: Source = request.param
    return chosen


@pytest.mark.parametrize("text", [CANARY, f"  {CANARY}\r\n", f"\ufeff{CANARY}\n", f"\n\ufeff {CANARY}\t"])
def test_white_space_around_a_token_does_not_count(source: Source, text: str, tmp_path: Path) -> None:
    """Nor does the byte order mark that some editors write."""
    assert source(text, tmp_path) == CANARY


@pytest.mark.parametrize(
    "text",
    [f"{CANARY} {CANARY}", f"{CANARY}\n{CANARY}", f"{CANARY}\u00e9", f"{CANARY}\x1b[0m"],
    ids=["space", "lines", "accent", "escape"],
)
def test_another_text_is_refused_and_not_quoted(source: Source, text: str, tmp_path: Path) -> None:
    """A page of HTML in the place of a token is found before it is sent."""
    with pytest.raises(RsspotError) as caught:
        source(text, tmp_path)
    assert CANARY not in f"{caught.value!r} {caught.value.hint}"
