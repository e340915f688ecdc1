"""The `render` command: prints manifests as they are understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rsspot.cli.plan_options import PATHS, VARIABLE, VARIABLE_FILE, load_manifests
from rsspot.cli.session import session


def render(paths: list[Path] = PATHS, var: list[str] = VARIABLE, var_file: list[Path] = VARIABLE_FILE) -> None:
    """Print the manifests as they are understood: variables replaced, defaults filled in, secrets masked.

    Comments say where each document was written, and where each value comes from that nobody wrote. The output is a
    manifest again, once masks are replaced by the secrets. Sends nothing.
    """
    from rsspot.workflows.rendering import rendered

    here = session()
    documents = rendered(load_manifests(here, paths, var, var_file))
    if here.options.output in ("table", "yaml"):
        print("\n---\n".join(each.as_yaml() for each in documents))
    else:
        here.emit([each.document for each in documents])


COMMANDS: dict[str, Any] = {"render": render}
