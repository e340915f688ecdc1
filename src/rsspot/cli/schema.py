"""The `schema` command: prints the JSON Schema of manifests, for editors and other tools."""

from __future__ import annotations

from typing import Any

import typer

from rsspot.cli.session import session
from rsspot.errors import UsageError


def schema(
    kind: str | None = typer.Argument(None, metavar="KIND", help="A kind such as SpotNodePool. Default: all."),
) -> None:
    """Print the JSON Schema of manifests, of one kind or of all.

    `rsspot init` writes it beside the manifests, where editors with a YAML language server find it.
    """
    from rsspot.manifests.described_kinds import kind_called
    from rsspot.manifests.schema import schema_of, whole_schema
    from rsspot.utils.output import as_json, as_yaml

    here = session()
    try:
        document = schema_of(kind_called(kind)) if kind else whole_schema()
    except KeyError as unknown:
        raise UsageError(f"{unknown.args[0]} has no manifests: the service makes its objects") from None
    print(as_yaml(document) if here.options.output == "yaml" else as_json(document))


COMMANDS: dict[str, Any] = {"schema": schema}
