"""What state.db remembers besides applies: the history of commands, kept answers, and moving records elsewhere."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from rsspot.cli.app import SETTINGS
from rsspot.cli.session import session
from rsspot.errors import UsageError
from rsspot.utils.files import write_private

history = typer.Typer(help="The commands that were run, without their secrets.", **SETTINGS)
state = typer.Typer(help="Records of state.db, to move them elsewhere.", **SETTINGS)


@history.command("list")
def list_(limit: int = typer.Option(50, "--limit", min=1, help="The last so many.")) -> None:
    """List the last commands, the newest first."""
    from rsspot.state.database import Database
    from rsspot.state.history import History

    here = session()
    found = History(Database(here.state_path)).entries(limit) if here.state_path.is_file() else []
    here.emit([asdict(entry) for entry in found])


@history.command()
def clear() -> None:
    """Forget every command."""
    from rsspot.state.database import Database
    from rsspot.state.history import History

    here = session()
    here.emit({"forgotten": History(Database(here.state_path)).clear() if here.state_path.is_file() else 0})


@state.command()
def path() -> None:
    """Show where state.db is."""
    session().emit({"state": str(session().state_path)})


@state.command("export")
def export(out: Path | None = typer.Option(None, "--out", help="Write here; standard output when left out.")) -> None:
    """Write preferences and registrations as JSON."""
    from rsspot.state.database import Database
    from rsspot.state.transfer import export_state

    here = session()
    document = export_state(Database(here.state_path if here.state_path.is_file() else None))
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        print(text, end="")
    else:
        write_private(out, text)


@state.command("import")
def import_(
    file: Path = typer.Argument(help="What `state export` wrote; - is standard input."),
    replace: bool = typer.Option(False, "--replace", help="Overwrite records that say something else."),
) -> None:
    """Take over exported preferences and registrations: all of them or none."""
    from rsspot.state.database import Database
    from rsspot.state.transfer import import_state

    here = session()
    try:
        if str(file) == "-" and sys.stdin is None:
            raise UsageError("there is no standard input to read")
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{file} is not JSON") from None
    here.emit({"taken": import_state(Database(here.state_path), document, replace=replace)})


@state.command("clear-cache")
def clear_cache() -> None:
    """Forget every kept answer of the service."""
    from rsspot.state.database import Database
    from rsspot.state.http_cache import SqliteCache

    here = session()
    database = Database(here.state_path) if here.state_path.is_file() else None
    here.emit({"forgotten": SqliteCache(database, most_entries=1, most_bytes=1).clear() if database else 0})


COMMANDS: dict[str, Any] = {"history": history, "state": state}
