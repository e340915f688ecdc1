"""Names of objects for shell completion, from what earlier commands have left: state.db and the config file.

Sends nothing and opens state.db for reading only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from rsspot.settings import CONFIG_PATHS, home

MOST_SECONDS = 0.3
MOST_NAMES = 1000
LONGEST_CONFIG = 1024 * 1024
CONFIG_NAMES = ("config.yml", "config.yaml", "config.toml", "config.json")
_WORD = re.compile(r"[\w./@+-]+", re.ASCII)
"""Names that need no quotes in any shell. Others are left out."""


def live_names(plural: str, kind: str | None, words: Sequence[str]) -> list[str]:
    """The names of the objects of a kind, or of profiles or organizations, as far as they are known here.

    That of the parent is in them, as in `edge/workers`.

    words: the command line, which may choose another config file or the sandbox
    """
    with suppress(Exception):
        config = _config_file(words)
        if plural == "profiles":
            found: Iterable[str] = _profiles(config)
        else:
            found = _in_state(_state_path(config, words), plural, kind)
        return sorted({name for name in found if _WORD.fullmatch(name)})[:MOST_NAMES]
    return []


def stop_in_time() -> None:
    """From now on, end this process, without a word, when 300 ms are over: nobody waits longer for a name."""
    import signal

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)


def _config_file(words: Sequence[str]) -> Path | None:
    given = _option(words, "--config-file", "-c")
    named = given or next((os.environ[name] for name in CONFIG_PATHS if os.environ.get(name)), None)
    if named:
        return Path(named).expanduser()
    return next((path for name in CONFIG_NAMES if (path := home(os.environ) / name).is_file()), None)


def _option(words: Sequence[str], *names: str) -> str | None:
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else next(iter(words[index + 1 :]), None)
    return None


def _state_path(config: Path | None, words: Sequence[str]) -> Path:
    """The state.db of a command line, as the command itself would find it."""
    if "--sandbox" in words:
        sandbox = os.environ.get("RSSPOT_SANDBOX")
        return (Path(sandbox) if sandbox else home(os.environ) / "sandbox") / "state.db"
    if named := os.environ.get("RSSPOT_STATE_PATH"):
        return Path(named).expanduser()
    if config is None:
        return home(os.environ) / "state.db"
    # Parsing a config file takes longer than all the rest, and few name another place.
    settings = _settings(config) if b"state" in _content(config) else {}
    written = settings.get("statePath") or settings.get("state_path") or "state.db"
    return config.parent / Path(written).expanduser()


def _profiles(config: Path | None) -> Iterable[str]:
    profiles = _settings(config).get("profiles") if config else None
    return map(str, profiles) if isinstance(profiles, dict) else ()


def _settings(config: Path) -> dict[str, Any]:
    """The content of a config file, unchecked."""
    text = _content(config).decode("utf-8-sig")
    if config.suffix == ".toml":
        import tomllib

        return tomllib.loads(text)
    from rsspot.utils.yaml_values import parse_yaml

    parsed = parse_yaml(text, deepest=50)
    return parsed if isinstance(parsed, dict) else {}


def _content(config: Path) -> bytes:
    with config.open("rb") as file:
        return file.read(LONGEST_CONFIG)


def _in_state(path: Path, plural: str, kind: str | None) -> Iterator[str]:
    """What commands have listed last, the responses that are cached, and the objects that stacks own."""
    if not path.is_file():
        return
    import sqlite3

    from rsspot.state.first_release import own_file
    from rsspot.state.listed_names import OWNER

    with closing(sqlite3.connect(f"{own_file(path).absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)) as database:
        for (body,) in database.execute(
            "SELECT body FROM http_cache WHERE owner = ? AND path = ? AND query = ''", (OWNER, plural)
        ):
            yield from json.loads(body)
        # The newest first; a list of several pages has a row for each.
        cached = "SELECT body FROM http_cache WHERE owner <> ? AND path LIKE '%/' || ? ORDER BY stored_at DESC LIMIT 4"
        for (body,) in database.execute(cached, (OWNER, plural)):
            yield from _names_in(body)
        for (address,) in database.execute("SELECT address FROM managed_objects WHERE kind = ?", (kind,)):
            yield str(address).partition("/")[2]


def _names_in(body: bytes) -> Iterator[str]:
    """The names in a response: a list of objects, or of organizations, which have their names outside metadata."""
    try:
        document = json.loads(body)
    except ValueError:
        return
    for item in document.get("items") or document.get("organizations") or ():
        name = item.get("name") or (item.get("metadata") or {}).get("name")
        if isinstance(name, str):
            yield name
