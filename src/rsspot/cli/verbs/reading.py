"""The commands of a kind that only look: list, get, wait and watch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import typer

from rsspot.cli.session import CliSession, session
from rsspot.cli.verbs.filters import in_region, is_available, only_available_option
from rsspot.cli.verbs.objects import NAME, ShownObject, emit_list, emit_one, plain, row_of, within_option
from rsspot.cli_history import shown
from rsspot.resources.documents import ListedDocuments
from rsspot.resources.kind import Kind
from rsspot.resources.names import Called, called, is_called, parent_called
from rsspot.resources.secrecy import without_secrets
from rsspot.resources.waiting import WAIT_SECONDS
from rsspot.resources.watch import WatchEvent, follow
from rsspot.utils.output import as_csv, as_json_line
from rsspot.utils.process import collector_paused
from rsspot.utils.serialization import Document
from rsspot.utils.tables import cell, heading


def list_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `list` command of a kind."""

    def list_(
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
        within: str = within_option(kind),
        only_available: bool = only_available_option(kind),
    ) -> None:
        here = session()
        parent = parent_called(kind, within)

        async def work() -> ListedDocuments:
            documents = here.client.documents(kind)
            # Without a selector, a recently cached response is good enough.
            listed = await (documents.list(labels=selector) if selector or kind.local else documents.kept_list())
            items = await in_region(here.client, kind, listed, here.options.region)
            if only_available:
                items = [item for item in items if is_available(kind, item)]
            if parent is not None:
                items = [item for item in items if kind.parent_name(item.get("spec") or {}) == parent]
            return ListedDocuments(items, listed.metadata)

        with collector_paused():
            emit_list(here, kind, here.run(work()))

    list_.__doc__ = f"List {kind.plural}."
    return list_


def get_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `get` command of a kind."""

    def get(
        name: str = NAME,
        within: str = within_option(kind),
        show_secrets: bool = typer.Option(False, "--show-secrets", help="Do not mask secrets."),
    ) -> None:
        here = session()

        async def work() -> Document:
            return await here.client.documents(kind).find(name, within=within)

        emit_one(here, kind, here.run(work()), secrets=show_secrets)

    get.__doc__ = f"Show one {kind.name}."
    return get


def wait_command(kind: Kind[Any]) -> Callable[..., None]:
    """The `wait` command of a kind."""

    def wait(
        name: str = NAME,
        within: str = within_option(kind),
        timeout: float = shown(
            typer.Option(WAIT_SECONDS, "--timeout", min=0, metavar="SECONDS", help="Maximum seconds to wait.")
        ),
        gone: bool = typer.Option(False, "--gone", help="Wait until the object no longer exists."),
    ) -> None:
        here = session()
        wanted = str(called(kind, name, within))

        async def work() -> Document:
            collection = here.client.collection(kind)
            if gone:
                await collection.wait_gone(wanted, timeout=timeout)
                return {}
            return plain(await collection.wait(wanted, timeout=timeout))

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
        name: str = shown(typer.Argument("", help="Only this object, by any of its names.")),
        within: str = within_option(kind),
        selector: str = typer.Option("", "--selector", "-l", help="Only objects whose labels match."),
        events: int = shown(
            typer.Option(0, "--events", min=0, help="Exit after this many events; 0 runs until Ctrl-C.")
        ),
    ) -> None:
        here = session()
        parent = parent_called(kind, within)
        wanted = called(kind, name, within) if name else Called(parent, "")

        async def work() -> None:
            printed = 0
            async with aclosing(follow(here.client.documents(kind), selector or None)) as changes:
                async for change in changes:
                    if not is_called(kind, change.object, wanted):
                        continue
                    print(_line(here, kind, change, first=not printed), flush=True)
                    printed += 1
                    if printed == events:
                        break

        here.run(work())

    watch.__doc__ = f"Show the current {kind.plural}, then every change, one per line."
    return watch


def _line(here: CliSession, kind: Kind[Any], change: WatchEvent[Document], *, first: bool) -> str:
    """One change, in the output format in use. first: whether it is the first line, which CSV has its keys before."""
    shown = ShownObject(kind, [change.object], managed_fields=here.options.show_managed_fields)
    output = here.options.output
    if output in ("json", "yaml"):
        return as_json_line({"type": change.type, "object": shown.document()})
    if output not in ("table", "wide", "csv"):
        return "".join(here.rendered(shown)).removesuffix("\n")
    row = {"change": change.type, **row_of(kind, without_secrets(kind, change.object), wide=output != "table")}
    if output == "csv":
        return as_csv([row]) if first else as_csv([row]).partition("\n")[2]
    cells = [cell(value, here.look.now, heading(key)) for key, value in row.items()]
    return "  ".join([f"{cells[0]:<8}", *cells[1:]])
