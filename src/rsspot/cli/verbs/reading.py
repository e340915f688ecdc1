"""The commands of a kind that only look: list, get, wait and watch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import typer

from rsspot.cli.session import CliSession, session
from rsspot.cli.verbs.objects import NAME, emit_one, plain, row_of
from rsspot.cli_history import shown
from rsspot.resources.kind import Kind
from rsspot.resources.secrecy import without_secrets
from rsspot.resources.waiting import WAIT_SECONDS
from rsspot.resources.watch import WatchEvent, follow
from rsspot.utils.output import as_json_line, cell
from rsspot.utils.serialization import Document


def list_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `list` command of a kind."""

    def list_(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
        within: str = shown(typer.Option("", "--within", help="Only objects in this cloudspace.")),
    ) -> None:
        here = session()

        async def work() -> list[Document]:
            documents = here.client.documents(kind)
            # Without a selector, a recently cached response is good enough.
            items = await (documents.list(labels=selector) if selector or kind.local else documents.kept_list())
            return [item for item in items if within in ("", kind.parent_name(item.get("spec") or {}))]

        items = here.run(work())
        as_table = here.options.output == "table"
        shown = (without_secrets(kind, item) for item in items)
        here.emit([row_of(kind, item) if as_table else item for item in shown])

    list_.__doc__ = f"List {kind.plural}."
    return list_


def get_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `get` command of a kind."""

    def get(
        name: str = NAME, show_secrets: bool = typer.Option(False, "--show-secrets", help="Do not mask secrets.")
    ) -> None:
        here = session()

        async def work() -> Document:
            documents = here.client.documents(kind)
            return await documents.get(await documents.wire_name(name))

        document = here.run(work())
        shown = document if show_secrets else without_secrets(kind, document)
        here.emit(row_of(kind, document) if here.options.output == "table" else shown)

    get.__doc__ = f"Show one {kind.name}."
    return get


def wait_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `wait` command of a kind."""

    def wait(
        name: str = NAME,
        timeout: float = shown(typer.Option(WAIT_SECONDS, "--timeout", min=0, help="Maximum seconds to wait.")),
        gone: bool = typer.Option(False, "--gone", help="Wait until the object no longer exists."),
    ) -> None:
        here = session()

        async def work() -> Document:
            collection = here.client.collection(kind)
            if gone:
                await collection.wait_gone(name, timeout=timeout)
                return {}
            return plain(await collection.wait(name, timeout=timeout))

        document = here.run(work())
        if document:
            emit_one(here, kind, document)
        else:
            here.emit({"gone": name})

    wait.__doc__ = f"Wait until one {kind.name} is ready, or gone. Exits with 9 on timeout."
    return wait


def watch_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `watch` command of a kind."""

    def watch(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
        events: int = shown(
            typer.Option(0, "--events", min=0, help="Exit after this many events; 0 runs until Ctrl-C.")
        ),
    ) -> None:
        here = session()

        async def work() -> None:
            printed = 0
            async with aclosing(follow(here.client.documents(kind), selector or None)) as changes:
                async for change in changes:
                    print(_line(here, kind, change), flush=True)
                    printed += 1
                    if printed == events:
                        break

        here.run(work())

    watch.__doc__ = f"Show the current {kind.plural}, then every change, one per line."
    return watch


def _line(here: CliSession, kind: Kind[Any], change: WatchEvent[Document]) -> str:
    if here.options.output == "table":
        return f"{change.type:<9} {'  '.join(map(cell, row_of(kind, change.object).values()))}"
    return as_json_line({"type": change.type, "object": without_secrets(kind, change.object)})
