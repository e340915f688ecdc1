"""The `raw` command: one request to any path of the API, for what has no command of its own."""

from __future__ import annotations

from typing import Any

import typer

from rsspot.cli.inputs import read_json_argument
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.resources.deletion import require_object

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def raw(
    path: str = shown(typer.Option("/", "--path", help="The path, such as /apis/ngpc.rxt.io/v1/regions.")),
    method: str = shown(typer.Option("GET", "--method", help=f"One of {', '.join(METHODS)}.")),
    params: str | None = typer.Option(None, "--params-json", metavar="JSON", help="Query parameters, a JSON object."),
    body: str | None = typer.Option(
        None, "--body-json", metavar="JSON", help="Body, a JSON object. - reads standard input, @FILE a file."
    ),
    yes: bool = YES,
) -> None:
    """Send one request to any path of the API and print the JSON object in the response."""
    here = session()
    verb = method.upper()
    if verb not in METHODS:
        raise UsageError(f"unknown method {method!r}", hint=f"use one of: {', '.join(METHODS)}")
    if not path.startswith("/"):
        raise UsageError(f"a path begins with /, unlike {path!r}")
    query = {name: str(value) for name, value in (read_json_argument(params) if params else {}).items()}
    document = read_json_argument(body) if body else None
    if verb == "DELETE":
        require_object(path)
        if not yes:
            confirm(f"delete {path}")
    if here.options.output == "table":
        # Whatever the API answers fits into no table.
        here.options.output = "json"
    here.emit(here.run(here.client._request_json(verb, path, params=query, body=document)))


COMMANDS: dict[str, Any] = {"raw": raw}
